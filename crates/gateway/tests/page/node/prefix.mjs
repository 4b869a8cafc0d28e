// A proxy that serves the gateway below /sub, and another application at all other paths.
import { createServer, request } from "node:http";
const elsewhere = [];
const proxy = createServer((incoming, outgoing) => {
  if (!incoming.url.startsWith("/sub/")) {
    elsewhere.push(`${incoming.method} ${incoming.url}`);
    outgoing.writeHead(418).end();
    return;
  }
  const { hostname, port } = new URL(GATEWAY);
  const { method, headers } = incoming;
  const forwarded = request({ hostname, port, method, headers, path: incoming.url.slice("/sub".length) }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  incoming.pipe(forwarded);
});
await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
const at = `http://127.0.0.1:${proxy.address().port}/sub`;
const page = await open({}, at);
await page.fill("#search", "openai");
await page.locator("#list tbody button:visible", { hasText: /^OpenAI$/ }).click();
await call(page, { path: "v1/models" });
const target = await text(page, "#target");
const status = await text(page, "#status");
const curl = await text(page, "#curl");
await page.press("#conn", "Tab");
await page.click("#tab-sdks");
const code = await page.locator("#pane-sdks pre").allTextContents();
// What leaves the connection is still refused.
await page.click("#tab-try");
await call(page, { path: "../other" });
const left = await text(page, "#explain");
proxy.closeAllConnections();
proxy.close();
await end({ at, elsewhere, target, status, curl, code, left });
