// The network of one browser: a proxy that can be cut and put back. What a page's own switch for being offline does not reach, as
// shared workers, is cut off too.
import { once } from "node:events";
import { createServer, request } from "node:http";

export async function startNetwork() {
  let isCut = false;
  const proxy = createServer((asked, answer) => {
    const { port, pathname, search } = new URL(asked.url);
    const passedOn = request({ host: "127.0.0.1", port, path: pathname + search, method: asked.method, headers: asked.headers }, (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answered.on("error", () => answer.destroy()).pipe(answer);
    });
    passedOn.on("error", () => answer.destroy());
    answer.on("close", () => passedOn.destroy());
    asked.pipe(passedOn);
  });
  proxy.on("connection", (socket) => isCut && socket.destroy()).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    server: `http://127.0.0.1:${proxy.address().port}`,
    cut() {
      isCut = true;
      proxy.closeAllConnections();
    },
    restore() {
      isCut = false;
    },
    close() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
