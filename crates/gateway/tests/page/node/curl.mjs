// The curl command that the page copies, for several forms. The test runs each.
const page = await open();
await page.click("#headers .add");
const [name, value] = await page.locator("#headers .pair input").all();
await page.click("#query .add");
const [key, content] = await page.locator("#query .pair input").all();
await page.click("details:has(#body) summary");
const commands = [];
for (const [method, path, header, query, body, type] of [
  ["GET", "echo", "", "", "", ""],
  ["POST", "echo/it's/$HOME/!x/%2F%20?a=[1]&b={2}", "a'b \"c\" $HOME \\", "v'1 &=%", "@/etc/passwd 'single' \"double\" $HOME `id` \\n\nnext line\n", "application/json"],
  ["POST", "echo", "plain", "", "no type", ""],
  ["DELETE", "echo/a'b", " ", "", "", ""],
  ["PUT", "echo/-x", "-d", "--data", "--help", "text/plain"],
]) {
  await name.fill("x-extra");
  await value.fill(header);
  await key.fill(query === "" ? "" : "q'");
  await content.fill(query);
  await page.fill("#body", body);
  await page.fill("#type", type);
  await call(page, { path, method });
  // The label is "Copied" for a short time only, so a busy machine could miss it by looking.
  const copied = page.evaluate(() => new Promise((resolve) => {
    const button = document.querySelector("[data-copy=curl]");
    const changed = () => { if (button.textContent === "Copied") resolve(); };
    new MutationObserver(changed).observe(button, { childList: true });
  }));
  await page.click("[data-copy=curl]");
  await copied;
  const answer = await text(page, "#answer");
  await page.fill("#body", "");
  await page.focus("#body");
  await page.keyboard.press("Control+V");
  const command = await page.inputValue("#body");
  commands.push({ command, answer, differs: await text(page, "#differs"), status: await text(page, "#status") });
}
await end({ commands });
