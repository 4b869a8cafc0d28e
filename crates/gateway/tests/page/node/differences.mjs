// The page says what a browser changes, and doesn't send a call that would go elsewhere.
const page = await open();
const seen = {};
const state = async () => ({
  target: await text(page, "#target"), differs: (await page.isVisible("#differs")) ? await text(page, "#differs") : "",
  status: await text(page, "#status"), explain: (await page.isVisible("#explain")) ? await text(page, "#explain") : "",
});
for (const path of ["a%2Fb/%2e%2E%2f?x=%27", "a b", "a\\b", "a/../b", "../d/x", "../../metrics", "a#b", "//double", "ü", "a?", "\"q\""]) {
  await call(page, { path });
  seen[path] = await state();
}
await call(page, { path: "redirect" });
seen.redirect = await state();
await page.click("#headers .add");
const [name, value] = await page.locator("#headers .pair input").all();
await name.fill("Cookie");
await value.fill("a=b");
seen.forbidden = await state();
await name.fill("x-a b");
await page.click("#send");
await ended(page);
seen.invalid = await state();
await name.fill("x-plain");
await value.fill("it's \"quoted\" $HOME `id` \\ é");
await page.click("#query .add");
const [key, content] = await page.locator("#query .pair input").all();
await key.fill("a&b");
await content.fill("c'd e");
await call(page, { path: "echo?z=1", method: "PATCH" });
seen.rows = await state();
await page.click("details:has(#body) summary");
await page.fill("#body", "{\"a\": \"it's\"}");
await call(page, { path: "echo", method: "GET" });
seen.content = await state();
await call(page, { path: "echo", key: "wrong" });
seen.key = await state();
await call(page, { path: "echo", method: "TRACE" });
seen.trace = await state();
await end({ seen });
