// A plain TCP proxy: each connection goes to the next target in turn, or to the one after it when that does not accept.
// It can be slow, hold what goes through it, cut connections, and cut them in the middle of an answer.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { pause } from "../processes.mjs";

export class Proxy {
  // Connections that go through it.
  connections = new Set();
  // Milliseconds that each piece waits; bytes a second for each connection; both 0 for as they come.
  delay = 0;
  rate = 0;
  #turn = 0;
  #mark = null;
  #held = { up: null, down: null };

  // ports: of the targets on 127.0.0.1. from: the address connections come from, by which a target knows this proxy.
  static async open(ports, { port = 0, from } = {}) {
    const proxy = new Proxy();
    proxy.server = createServer({ allowHalfOpen: true }, (client) => proxy.#carry(client, ports, from)).listen(port, "127.0.0.1");
    await once(proxy.server, "listening");
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  close() {
    this.release();
    this.cut();
    this.server.close();
  }

  // Holds what goes to the targets ("up"), what comes from them ("down"), or both, until it is released.
  hold(...ways) {
    for (const way of ways.length ? ways : ["up", "down"]) {
      if (!this.#held[way]) this.#held[way] = deferred();
    }
  }

  // Holds what comes from the targets from the moment on that these bytes go to one of them.
  holdAfter(bytes) {
    this.#mark = bytes;
  }

  // What was held goes on.
  release() {
    this.#mark = null;
    for (const way of ["up", "down"]) {
      this.#held[way]?.resolve();
      this.#held[way] = null;
    }
  }

  // Resets connections, each with a probability.
  cut(random = null, probability = 1) {
    for (const connection of this.connections) if (!random || random.chance(probability)) connection.reset();
  }

  // Lets through a few bytes more of what the targets answer, then resets: an answer ends in its middle.
  halve(random) {
    for (const connection of this.connections) connection.left = 1 + random.below(400);
  }

  async #carry(client, ports, from) {
    client.on("error", () => {});
    const server = await this.#connect(ports, from);
    if (!server) return client.resetAndDestroy();
    const connection = { left: Infinity, reset: () => { client.resetAndDestroy(); server.resetAndDestroy(); } };
    this.connections.add(connection);
    await Promise.all([this.#flow(client, server, "up", connection), this.#flow(server, client, "down", connection)]);
    this.connections.delete(connection);
  }

  async #connect(ports, from) {
    for (let attempt = 0; attempt < ports.length; attempt++) {
      const socket = connect({ port: ports[this.#turn++ % ports.length], host: "127.0.0.1", localAddress: from, noDelay: true });
      const connected = await new Promise((resolve) => socket.once("connect", () => resolve(true)).once("error", () => resolve(false)));
      socket.on("error", () => {});
      if (connected) return socket;
    }
    return null;
  }

  async #flow(source, sink, way, connection) {
    source.setNoDelay(true);
    try {
      for await (const bytes of source) {
        if (this.delay) await pause(this.delay);
        for (const piece of this.rate ? slices(bytes, 1024) : [bytes]) {
          if (this.rate) await pause((1000 * piece.length) / this.rate);
          await this.#held[way]?.promise;
          if (way === "up" && this.#mark && piece.includes(this.#mark)) this.hold("down");
          const passed = way === "down" ? piece.subarray(0, connection.left) : piece;
          if (way === "down") connection.left -= passed.length;
          if (!sink.write(passed)) await Promise.race([once(sink, "drain"), once(sink, "close")]);
          if (connection.left <= 0) return connection.reset();
        }
      }
      await this.#held[way]?.promise;
      sink.end();
    } catch {
      // Reset by one of its ends: so is the other.
      connection.reset();
    }
  }
}

function deferred() {
  const result = {};
  result.promise = new Promise((resolve) => (result.resolve = resolve));
  return result;
}

function* slices(bytes, length) {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}
