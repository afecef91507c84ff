import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** The network between a client and the server: it can be cut, or fall silent. */
export class Proxy {
  private readonly sockets = new Set<Socket>();
  private readonly heads: string[] = [];
  private state: "open" | "cut" | "silent" = "open";

  private constructor(private readonly server: Server, private readonly port: number) {}

  static async to(port: number): Promise<Proxy> {
    const server = createServer();
    const proxy = new Proxy(server, port);
    server.on("connection", (socket) => proxy.forward(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How many requests there were whose first line holds the text. */
  count(text: string): number {
    return this.heads.filter((head) => head.includes(text)).length;
  }

  /** Ends all connections and lets no new one through. */
  cut(): void {
    this.state = "cut";
    this.sockets.forEach((socket) => socket.destroy());
  }

  /** Keeps the connections, and lets nothing through. */
  silence(): void {
    this.state = "silent";
    this.sockets.forEach((socket) => socket.unpipe().pause());
  }

  /** The network is back. What was silenced stays dead. */
  restore(): void {
    this.state = "open";
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private forward(socket: Socket): void {
    if (this.state === "cut") return void socket.destroy();
    const upstream = connect(this.port, "127.0.0.1");
    socket.on("data", (chunk) => {
      const head = chunk.toString("latin1").split("\r\n", 1)[0]!;
      if (head.endsWith(" HTTP/1.1")) this.heads.push(head.replace(" HTTP/1.1", ""));
    });
    for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) {
      this.sockets.add(from);
      from.on("error", () => to.destroy()).on("close", () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.state === "open") from.pipe(to);
    }
  }
}
