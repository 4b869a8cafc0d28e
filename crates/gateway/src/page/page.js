// The page of the gateway. Bytes of upstreams are only ever added to the document as text.
"use strict";

// The part of a body that is shown, and the size up to which a whole body can be saved, in bytes.
const SHOWN = 256 * 1024;
const KEPT = 16 * 1024 * 1024;

const FACTS = {
  checked: "Checked against the vendor's pages",
  documented: "Documented by a third party",
  unverified: "Unverified",
};
const KINDS = {
  bearer: "Bearer token", basic: "User name and password (Basic)", header: "Header field", query: "Query parameter",
  oauth2: "OAuth 2.0", sigv4: "AWS Signature V4", oauth1: "OAuth 1.0a", mtls: "Client certificate", hmac: "HMAC signature", none: "None",
};

const $ = (id) => document.getElementById(id);
const value = (id) => $(id).value;
const main = document.querySelector("main");
const tabs = [...document.querySelectorAll("[role=tab]")];
const rows = [...document.querySelectorAll("#list tbody tr:not(.group)")];
const wide = matchMedia("(min-width: 68rem)");

// The address of the gateway: a proxy in front may serve it below a path.
const address = new URL(".", location.href).href.slice(0, -1);
const prefix = address.slice(location.origin.length);

let gateway = { mount: "/passthrough", by: "path", key: true };
let chosen = null;
let call = null;
let saved = null;

function make(tag, set, ...content) {
  const element = Object.assign(document.createElement(tag), set);
  element.append(...content);
  return element;
}

function say(text) {
  $("said").textContent = text;
}

function note(id, lines) {
  $(id).hidden = lines.length === 0;
  $(id).textContent = lines.join(" ");
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
    return true;
  } catch {
    // Without HTTPS, browsers offer this only.
    const area = make("textarea", { value: text, readOnly: true, className: "away" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    say(done ? "Copied." : "The browser doesn't allow copying. Select the text instead.");
    return done;
  }
}

function copier(text, what) {
  const button = make("button", { type: "button", className: "copy" }, "Copy");
  button.setAttribute("aria-label", `Copy ${what}`);
  button.addEventListener("click", () => copied(button, text));
  return button;
}

// The timers after which buttons are labelled "Copy" again. An earlier click must not end the label of a later click.
const labelled = new WeakMap();

async function copied(button, text) {
  if (!(await copy(text))) return;
  button.focus();
  button.textContent = "Copied";
  clearTimeout(labelled.get(button));
  labelled.set(button, setTimeout(() => { button.textContent = "Copy"; }, 1500));
}

// The list

function filter() {
  const words = value("search").toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    row.hidden = !words.every((word) => row.dataset.text.includes(word));
    count += row.hidden ? 0 : 1;
  }
  for (const body of document.querySelectorAll("#list tbody")) {
    body.hidden = !body.querySelector("tr:not(.group):not([hidden])");
  }
  $("none").hidden = count > 0;
  document.querySelector("#list table").hidden = count === 0;
  $("count").textContent = words.length === 0
    ? `${rows.length} integrations` : `${count} of ${rows.length} integrations`;
}

function prepare(row, entry) {
  const button = make("button", { type: "button" }, entry.title);
  button.addEventListener("click", () => choose(entry, row));
  row.cells[0].replaceChildren(button);
  row.dataset.text = [entry.title, entry.name, entry.category, entry.base_url].join(" ").toLowerCase();
}

function open() {
  main.classList.add("open");
  if (!wide.matches) scrollTo(0, 0);
  $("panel-title").focus({ preventScroll: wide.matches });
}

function back() {
  main.classList.remove("open");
  const row = rows.find((row) => row.classList.contains("chosen") && !row.hidden);
  (row ? row.querySelector("button") : $("search")).focus();
}

// The chosen integration

function authentication(entry) {
  const kinds = entry.auth.map(({ kind }) => KINDS[kind] ?? kind);
  return [...new Set(kinds)].join(", ") || "None";
}

function facts(entry) {
  if (entry.own) return "Configured in this gateway";
  const parts = [`${FACTS[entry.confidence] ?? "Unverified"}${entry.checked ? `, ${entry.checked.replaceAll("-", "\u2011")}` : ""}.`];
  if (entry.base_url_confidence && entry.base_url_confidence !== entry.confidence) {
    parts.push(`Its base URL: ${(FACTS[entry.base_url_confidence] ?? "Unverified").toLowerCase()}.`);
  }
  return parts.join(" ");
}

function about(entry) {
  const list = make("dl");
  const line = (name, ...content) => list.append(make("dt", {}, name), make("dd", {}, ...content));
  line("Base URL", make("code", {}, entry.base_url), copier(entry.base_url, "the base URL"));
  line("Name", make("code", {}, entry.name));
  line("Authentication", authentication(entry));
  if (/^https:\/\//.test(entry.docs)) {
    const set = { href: entry.docs, target: "_blank", rel: "noreferrer noopener" };
    line("Documentation", make("a", set, entry.docs.replace("https://", "")));
  }
  line("Facts", facts(entry));
  $("about").replaceChildren(list);
}

function code(text, label) {
  const pre = make("pre", { tabIndex: 0 }, text);
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", label);
  const button = copier(text, label);
  button.className = "";
  return make("div", { className: "code" }, pre, button);
}

function bullets(items) {
  return make("ul", {}, ...items.map((item) => make("li", {}, ...item)));
}

function listed(names) {
  return names.flatMap((name, index) => [index === 0 ? "" : ", ", make("code", {}, name)]);
}

function connection(entry) {
  const content = [];
  const section = (title, ...more) => content.push(make("h3", {}, title), ...more);
  const ways = entry.auth.map(({ kind, secrets }) => [
    `${KINDS[kind] ?? kind}: `, ...(secrets.length ? listed(secrets) : ["no secret"]),
    ...(kind === "oauth2" && !entry.own
      ? ["; for refreshes also ", ...listed(["refresh_token", "expires_at", "client_id", "client_secret"])] : []),
  ]);
  section(ways.length > 1 ? "Secrets, for one of these" : "Secrets", bullets(ways.length ? ways : [["none"]]));
  if (entry.fields?.length) {
    section("The vendor's names", bullets(entry.fields.map((field) => [make("code", {}, field.name), `: ${field.title}`])));
  }
  if (entry.variables.length) {
    section("Variables", bullets(entry.variables.map((variable) => [
      make("code", {}, variable.name),
      variable.description ? `: ${variable.description}` : "",
      ...(variable.pattern ? ["; must match ", make("code", {}, variable.pattern)] : []),
      ...(variable.default ? ["; default ", make("code", {}, variable.default)] : []),
    ])));
  }
  if (entry.any_host) {
    content.push(make("p", { className: "note" }, "A variable of the connection may name any host, which gets the credentials. Store only hosts that you trust."));
  }
  if (entry.scopes?.length) section("Scopes", make("p", {}, ...listed(entry.scopes)));
  section("In gateway.toml", code(entry.toml, "the connection's table"),
    make("p", { className: "hint" }, "The values are read from the environment. After a change of the file, send SIGHUP."));
  if (entry.note) section("Note", make("p", {}, ...marked(entry.note)));
  $("pane-connect").replaceChildren(...content);
}

// Returns Markdown's code as elements, and all else as text.
function marked(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

// Returns the code for an SDK with the gateway's address.
function filled(text) {
  const id = encode(value("conn") || "CONNECTION");
  const host = hostOf(id);
  return text.replaceAll("https://gateway.invalid/connection", location.origin + below(id)).replaceAll("https://gateway.invalid", address)
    .replaceAll("https://connection.gateway.invalid", `${location.protocol}//${host}`).replaceAll("connection.gateway.invalid", host);
}

function hostOf(id) {
  const host = gateway.host ?? `{connection}.${location.hostname}`;
  return host.replace("{connection}", id) + (location.port ? `:${location.port}` : "");
}

function sdks() {
  const content = (chosen?.sdks ?? []).flatMap((sdk) => {
    const usesHost = sdk.host && (gateway.by === "host" || !sdk.path);
    const text = usesHost ? sdk.host : sdk.path;
    const hints = [sdk.key, ...sdk.pitfalls];
    if (usesHost && !gateway.host) hints.unshift("This SDK needs a gateway with `address_by = [\"path\", \"host\"]`.");
    if (gateway.by === "header") hints.unshift("Let the SDK send the field `x-connection` as well.");
    if (sdk.base_url && sdk.base_url !== chosen.base_url) hints.unshift(`This SDK needs an integration with \`base_url = "${sdk.base_url}"\`.`);
    return [
      make("h3", {}, sdk.title), make("p", { className: "hint" }, sdk.about),
      text ? code(filled(text), `the code for ${sdk.title}`) : make("p", { className: "note" }, "This SDK can't be pointed at another address."),
      bullets(hints.map(marked)),
    ];
  });
  $("pane-sdks").replaceChildren(...content);
}

function choose(entry, row) {
  chosen = entry;
  for (const other of rows) other.classList.toggle("chosen", other === row);
  $("panel-title").textContent = entry.title;
  document.querySelector("[role=tablist]").hidden = false;
  $("tab-sdks").hidden = !entry.sdks?.length;
  about(entry);
  connection(entry);
  sdks();
  select($("tab-try"));
  $("method").value = "GET";
  $("path").value = (entry.verify ?? "").replace(/^\//, "");
  $("body").value = "";
  for (const id of ["query", "headers"]) $(id).querySelectorAll(".pair").forEach((pair) => pair.remove());
  update();
  open();
}

function select(tab) {
  for (const other of tabs) {
    other.setAttribute("aria-selected", other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = other !== tab;
  }
}

// The form

function pair(id, what) {
  const field = (part) => {
    const input = make("input", { autocomplete: "off", spellcheck: false, autocapitalize: "none" });
    input.setAttribute("aria-label", `${part} of a ${what}`);
    return input;
  };
  const remove = make("button", { type: "button" }, "×");
  remove.setAttribute("aria-label", `Remove this ${what}`);
  const row = make("div", { className: "pair" }, field("Name"), field("Value"), remove);
  remove.addEventListener("click", () => {
    row.remove();
    $(id).querySelector(".add").focus();
    update();
  });
  $(id).insertBefore(row, $(id).querySelector(".add"));
  return row;
}

function pairs(id) {
  const read = (row) => [...row.querySelectorAll("input")].map((input) => input.value);
  return [...$(id).querySelectorAll(".pair")].map(read).filter(([name]) => name !== "");
}

function encode(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

// Returns the path of the connection with that encoded id.
function below(id) {
  return prefix + (gateway.mount === "/" ? "" : gateway.mount) + (gateway.by === "path" ? `/${id}` : "");
}

// Returns the request-target as it was typed.
function target() {
  const path = value("path");
  const query = pairs("query").map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  const slash = path === "" || path.startsWith("/") || path.startsWith("?") ? "" : "/";
  const typed = below(encode(value("conn"))) + slash + path;
  return query === "" ? typed : typed + (typed.includes("?") ? "&" : "?") + query;
}

// Returns the request-target that the browser would send.
function sent(typed) {
  const url = new URL(location.origin + typed);
  url.hash = "";
  return url.href.slice(url.origin.length);
}

function fields() {
  const all = pairs("headers");
  if (gateway.by === "header") all.push(["x-connection", value("conn")]);
  if (value("body") !== "" && value("type") !== "") all.push(["content-type", value("type")]);
  return all;
}

const hasContent = () => value("body") !== "" && !/^(get|head)$/i.test(value("method"));

// Returns the request, with a note for each difference between the request that was typed and the request that the
// browser would send. Throws an error if the browser refuses the request.
function request(signal) {
  const typed = target();
  const real = sent(typed);
  const notes = [];
  const start = below(encode(value("conn")));
  if (gateway.by === "host") throw new Error("This gateway's calls go to a host of their own, where this page may not call. Use the curl command.");
  if (real !== start && !real.startsWith(`${start}/`) && !real.startsWith(`${start}?`)) {
    throw new Error(`The browser would send ${real}, which isn't below this connection, because browsers resolve dot segments. Use the curl command.`);
  }
  if (real !== typed) notes.push(`The browser would send ${real} instead of ${typed}. The curl command sends what you typed.`);
  const headers = new Headers();
  for (const [name, value] of fields()) {
    try {
      headers.append(name, value);
    } catch {
      throw new Error(`The header field “${name}” isn't valid: a name has no blanks, and a value is one line of Latin-1 text.`);
    }
  }
  if (value("key") !== "") headers.set("x-api-key", value("key"));
  const method = value("method") || "GET";
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(method) || /^(connect|trace|track)$/i.test(method)) {
    throw new Error(`Browsers don't send the method “${method}”.`);
  }
  const made = new Request(real, {
    method, headers, signal, body: hasContent() ? new TextEncoder().encode(value("body")) : undefined,
    credentials: "omit", redirect: "manual", cache: "no-store", referrerPolicy: "no-referrer",
  });
  const lost = fields().map(([name]) => name).filter((name) => !made.headers.has(name));
  if (lost.length) notes.push(`Browsers don't let a page send ${lost.join(", ")}. The curl command sends these fields.`);
  if (value("body") !== "" && !hasContent()) notes.push("Browsers send no content with GET and HEAD. The curl command does.");
  return { made, notes };
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl() {
  const method = value("method") || "GET";
  const content = value("body");
  const lines = ["curl --globoff --path-as-is"];
  if (method === "HEAD") lines.push("--head");
  else if (method !== "GET" || content !== "") lines.push(`--request ${quote(method)}`);
  if (gateway.key) lines.push('--header "x-api-key: $GATEWAY_KEY"');
  // curl reads `name:` as an order to remove the field.
  for (const [name, value] of fields()) lines.push(`--header ${quote(value.trim() === "" ? `${name};` : `${name}: ${value}`)}`);
  if (content !== "" && method !== "HEAD") {
    if (value("type") === "") lines.push("--header 'content-type:'");
    lines.push(`--data-raw ${quote(content)}`);
  }
  const origin = gateway.by === "host" ? `${location.protocol}//${hostOf(value("conn"))}` : location.origin;
  const path = gateway.by === "host" ? target().slice(below("").length) || "/" : target();
  lines.push(quote(origin + path));
  return lines.join(" \\\n  ");
}

function update() {
  $("target").textContent = `${value("method") || "GET"} ${target()}`;
  $("curl").textContent = curl();
  let notes;
  try {
    notes = request().notes;
  } catch (error) {
    notes = [error.message];
  }
  note("differs", notes);
}

// The call

function took(start) {
  return `${Math.round(performance.now() - start)} ms`;
}

function outcome(text, kind) {
  $("status").textContent = text;
  $("status").className = kind;
}

function clear() {
  if (saved) URL.revokeObjectURL(saved);
  saved = null;
  $("save").hidden = true;
  $("save").removeAttribute("href");
  $("answer").replaceChildren();
  $("fields").hidden = true;
  $("size").textContent = "";
  note("explain", []);
  $("result").hidden = false;
}

async function send(event) {
  event.preventDefault();
  if (call) return;
  clear();
  call = new AbortController();
  const { signal } = call;
  $("send").disabled = true;
  $("cancel").disabled = false;
  outcome("Sending…", "");
  const start = performance.now();
  let made;
  try {
    ({ made } = request(signal));
    const response = await fetch(made);
    if (response.type === "opaqueredirect") {
      outcome(`Redirect · ${took(start)}`, "");
      note("explain", ["The answer is a redirect (a status of 3xx). Browsers hide its status, its Location and its content from a page. Run the curl command to see them."]);
      return;
    }
    head(response, took(start));
    const total = await content(response);
    const line = `${$("status").textContent.split(" · ")[0]} · ${took(start)}`;
    outcome(line, $("status").className);
    say(`The response is complete: ${line}, ${size(total)}.`);
  } catch (error) {
    const isCut = $("fields").hidden === false;
    if (signal.aborted) outcome(`Cancelled · ${took(start)}`, "bad");
    else if (isCut) outcome(`${$("status").textContent.split(" · ")[0]} · broken off after ${took(start)}`, "bad");
    else outcome(made ? "No answer" : "Not sent", "bad");
    if (!signal.aborted) note("explain", [isCut ? "The connection ended before the body was complete." : error.message]);
  } finally {
    call = null;
    $("send").disabled = false;
    $("cancel").disabled = true;
  }
}

function head(response, time) {
  outcome(`${response.status} ${response.statusText} · ${time}`.replace("  ", " "), response.ok ? "good" : "bad");
  const lines = [...response.headers].map(([name, value]) => {
    const cell = make("th", { scope: "row" }, name);
    return make("tr", {}, cell, make("td", {}, value));
  });
  $("fields").querySelector("tbody").replaceChildren(...lines);
  $("fields").querySelector("summary").textContent = `Header fields (${lines.length})`;
  $("fields").hidden = false;
  const code = response.headers.get("passthrough-error");
  const explain = [];
  if (code) explain.push(`This error comes from the gateway and not from the vendor: ${code}.`);
  if (code === "unauthenticated") explain.push("Check the API key.");
  note("explain", explain);
}

// Shows a body while it arrives, and returns its length.
async function content(response) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let total = 0;
  let shown = 0;
  let isText = true;
  let kept = [];
  const show = (bytes, more) => {
    try {
      const text = decoder.decode(bytes, { stream: more });
      if (text.includes("\0")) throw new TypeError();
      if (text !== "") $("answer").append(text);
    } catch {
      isText = false;
      $("answer").replaceChildren();
    }
  };
  const count = () => {
    const parts = [size(total)];
    if (!isText) parts.push("not UTF-8 text, so it isn't shown");
    else if (total > shown) parts.push(`the first ${size(shown)} are shown`);
    if (total > KEPT) parts.push(`bodies over ${size(KEPT)} can't be saved here; use the curl command`);
    $("size").textContent = parts.join("; ");
  };
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value: chunk } = reader ? await reader.read() : { done: true };
    if (done) break;
    total += chunk.length;
    if (total > KEPT) kept = [];
    else kept.push(chunk);
    if (isText && shown < SHOWN) {
      const part = chunk.subarray(0, SHOWN - shown);
      shown += part.length;
      show(part, true);
    }
    count();
  }
  // A character may be cut where the shown part ends, but not where the body ends.
  if (isText && shown === total) show(new Uint8Array(), false);
  count();
  if (total > 0 && total <= KEPT) {
    saved = URL.createObjectURL(new Blob(kept, { type: "application/octet-stream" }));
    Object.assign($("save"), { href: saved, download: "response.bin", hidden: false });
  }
  return total;
}

// Events

function listen() {
  $("search").addEventListener("input", filter);
  $("form").addEventListener("submit", send);
  $("form").addEventListener("input", update);
  $("conn").addEventListener("change", sdks);
  $("cancel").addEventListener("click", () => call?.abort());
  $("back").addEventListener("click", back);
  $("any").addEventListener("click", open);
  for (const [id, what] of [["query", "query parameter"], ["headers", "header field"]]) {
    const add = make("button", { type: "button", className: "add" }, `Add a ${what}`);
    add.addEventListener("click", () => pair(id, what).querySelector("input").focus());
    $(id).append(add);
  }
  const button = document.querySelector("[data-copy=curl]");
  button.addEventListener("click", () => copied(button, $("curl").textContent));
  for (const tab of tabs) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const shown = tabs.filter((other) => !other.hidden);
      const step = { ArrowRight: 1, ArrowLeft: shown.length - 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = shown[(shown.indexOf(tab) + step) % shown.length];
      select(next);
      next.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.closest("input, textarea");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      main.classList.remove("open");
      $("search").focus();
      $("search").select();
    } else if (event.key === "Escape") {
      if (event.target === $("search")) $("search").value = "";
      else if (main.classList.contains("open")) back();
      filter();
    } else if (event.key === "Enter" && event.target === $("search")) {
      rows.find((row) => !row.hidden)?.querySelector("button").click();
    }
  });
  // The key isn't kept for a return to this page.
  addEventListener("pagehide", () => { $("key").value = ""; });
}

async function start() {
  const response = await fetch("catalog.json", { credentials: "omit" });
  const data = await response.json();
  if (data.version !== document.querySelector("#list table").dataset.version) {
    return note("count", ["The gateway's config has changed. Reload this page."]);
  }
  gateway = data.gateway;
  rows.forEach((row, index) => prepare(row, data.entries[index]));
  $("key").parentElement.hidden = $("key-hint").hidden = !gateway.key;
  $("conn-row").hidden = gateway.by === "key";
  document.querySelector(".search").hidden = $("panel").hidden = $("any").hidden = false;
  main.classList.add("both");
  listen();
  filter();
  update();
}

start().catch((error) => note("count", [`The list can't be loaded: ${error.message}. Reload this page.`]));
