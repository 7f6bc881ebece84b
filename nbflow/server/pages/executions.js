// The page of executions. Everything shown as text is set as text; what flows have drawn is shown in a frame without scripts and network.

const FILTERS = [[null, "All"], ["active", "Active"], ["failed", "Failed"], ["completed", "Completed"], ["cancelled", "Cancelled"]];
const ACTIVE = ["pending", "running", "waiting"];
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; media-src data:";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function duration(ms) {
  if (ms == null) return "";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s.toFixed(1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(Math.floor(s % 60)).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}

function ago(iso) {
  const s = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
  if (s < 5) return "just now";
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

const exact = (iso) => (iso ? new Date(iso).toLocaleString() : "");

export function render({ model, el }) {
  const looks = model.looks;
  const rows = new Map(); // execution id: its <tr>
  let told = null; // the list as last told
  let chosen = null; // execution id
  let status = null;
  let searching = 0;

  const send = (message) => model.send_msg(message);

  // The list ------------------------------------------------------------------------------------

  const buttons = FILTERS.map(([value, label]) =>
    make("button", { type: "button", "aria-pressed": String(value === null), onclick: () => filter(value) }, label, make("span", { class: "count" })));
  const search = make("input", { type: "search", placeholder: "Flow, error or id", "aria-label": "Search by flow, error or id", oninput: () => {
    clearTimeout(searching);
    searching = setTimeout(ask, 250);
  } });
  const queue = make("span", { class: "queue", title: "in this server: executions that run and wait, and how many may run at a time" });
  const body = make("tbody");
  const more = make("button", { class: "more", type: "button", hidden: true, onclick: () => send({ type: "more" }) }, "Show more");
  const table = make("div", { class: "table card", hidden: true },
    make("table", {},
      make("thead", {}, make("tr", {},
        make("th", {}, "Status"), make("th", {}, "Flow"), make("th", { class: "trigger" }, "Trigger"),
        make("th", { class: "number nodes" }, "Nodes"), make("th", { class: "number" }, "Duration"), make("th", { class: "number" }, "Started"))),
      body),
    more);
  const empty = make("div", { class: "empty card", hidden: true });
  const list = make("section", { class: "list", "aria-label": "Executions" },
    make("div", { class: "tools" }, make("div", { class: "filters", role: "group", "aria-label": "Filter by status" }, ...buttons), search, queue),
    table, empty);

  function ask() {
    send({ type: "list", status, text: search.value.trim() });
  }

  function filter(value) {
    status = value;
    FILTERS.forEach(([other], at) => buttons[at].setAttribute("aria-pressed", String(other === value)));
    ask();
  }

  function chip(word) {
    const look = looks[word] || looks.pending;
    const dot = make("i", { "aria-hidden": "true", class: word === "running" ? "turning" : "" }, look.symbol);
    dot.style.background = look.colour;
    dot.style.setProperty("--look", look.colour);
    return make("span", { class: "chip" }, dot, make("span", {}, look.word));
  }

  function fill(row, execution) {
    row.execution = execution;
    const problem = execution.error_message && make("span", { class: "problem", title: execution.error_message },
      `${execution.error_node ? `${execution.error_node}: ` : ""}${execution.error_message.split("\n")[0]}`);
    const started = execution.started_at || execution.accepted_at;
    row.replaceChildren(
      make("td", {}, chip(execution.status)),
      make("td", { class: "main" }, make("span", { class: "flow" }, execution.flow || "?"), problem || ""),
      make("td", { class: "trigger muted", title: execution.source }, execution.source || execution.trigger || ""),
      make("td", { class: "number muted nodes" }, String(execution.nodes_total || "")),
      make("td", { class: "number lasting" }),
      make("td", { class: "number muted started", title: exact(started) }));
    tick(row);
  }

  function tick(row) {
    const { execution } = row;
    const started = execution.started_at || execution.accepted_at;
    const runs = execution.status === "running" && execution.started_at;
    row.querySelector(".lasting").textContent = runs ? duration(Date.now() - Date.parse(execution.started_at)) : duration(execution.duration_ms);
    row.querySelector(".started").textContent = started ? ago(started) : "";
  }

  function show() {
    const first = rows.size === 0;
    const kept = new Set();
    let before = null;
    for (const execution of told.executions) {
      const id = execution.execution_id;
      const key = JSON.stringify(execution);
      let row = rows.get(id);
      if (!row) {
        row = make("tr", { tabindex: "0", "data-id": id, "aria-selected": String(id === chosen), class: first ? "" : "new",
          onclick: () => choose(id), onkeydown: (event) => { if (event.key === "Enter") choose(id); } });
        rows.set(id, row);
      }
      if (row.key !== key) {
        row.key = key;
        fill(row, execution);
      }
      kept.add(id);
      const place = before ? before.nextSibling : body.firstChild;
      if (place !== row) body.insertBefore(row, place);
      before = row;
    }
    for (const [id, row] of rows) {
      if (!kept.has(id)) {
        row.remove();
        rows.delete(id);
      }
    }
    table.hidden = rows.size === 0;
    more.hidden = !told.more;
    empty.hidden = rows.size > 0;
    if (rows.size === 0) empty.replaceChildren(...nothing());
    counts();
  }

  function counts() {
    const count = (...words) => words.reduce((sum, word) => sum + (told.counts[word] || 0), 0);
    const numbers = { active: count(...ACTIVE), failed: count("failed"), completed: count("completed"), cancelled: count("cancelled") };
    FILTERS.forEach(([value], at) => {
      const number = value ? numbers[value] : count(...Object.keys(told.counts));
      const place = buttons[at].querySelector(".count");
      place.textContent = number ? number.toLocaleString() : "";
      place.title = "in the last 24 hours";
    });
    const { running, waiting, limit, draining } = told.queue;
    queue.replaceChildren(make("b", {}, String(running)), ` of ${limit} running here`, ...(waiting ? [" · ", make("b", {}, waiting.toLocaleString()), " waiting"] : []),
      draining ? " · the server is stopping" : "");
  }

  function nothing() {
    if (told.error) return [make("h2", {}, "The history cannot be read"), make("p", {}, told.error)];
    if (status || search.value.trim()) return [make("h2", {}, "No execution like that"), make("p", {}, "Nothing in the history fits this filter.")];
    return [
      make("h2", {}, "No executions yet"),
      make("p", {}, "They appear here as they happen: run a flow in a notebook, or publish one and call its webhook."),
      make("pre", {}, make("span", {}, "# in a notebook\n"), 'flow.publish(webhook="/hello")\n', make("span", {}, "\n# anywhere\n"),
        `curl -X POST ${new URL("./webhooks/hello", location.href).href.replace(/[?#].*/, "")}`),
    ];
  }

  // One execution -------------------------------------------------------------------------------

  const title = make("div", { class: "title" });
  const cancel = make("button", { class: "action stop", type: "button", hidden: true, onclick: () => act("cancel", cancel) }, "Cancel");
  const retry = make("button", { class: "action", type: "button", hidden: true, onclick: () => act("retry", retry) }, "Run again");
  const facts = make("div", { class: "facts" });
  const story = make("iframe", { class: "story", title: "What happened, node by node", sandbox: "allow-same-origin" });
  const detail = make("section", { class: "detail card", "aria-label": "One execution", hidden: true },
    make("div", { class: "head" }, title, retry, cancel, make("button", { class: "close", type: "button", "aria-label": "Close", onclick: () => choose(null) }, "×")),
    facts, story);
  story.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><style>body > div { border: 0 !important; margin: 0 !important; padding: 0 !important; max-width: none !important; }</style><body></body>`;
  story.addEventListener("load", () => { dress(); if (model.detail) tell(); });

  function dress() {
    const page = story.contentDocument;
    if (!page || !page.body) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    page.documentElement.style.colorScheme = document.documentElement.dataset.theme;
    page.body.style.cssText = `margin:0;padding:12px 16px 20px;background:${colour("--panel")};color:${colour("--text")};font:13px/1.45 ${colour("--sans")}`;
  }

  function choose(id) {
    chosen = id;
    for (const [other, row] of rows) row.setAttribute("aria-selected", String(other === id));
    all.classList.toggle("opened", Boolean(id));
    detail.hidden = !id;
    history.replaceState(null, "", id ? `#${id}` : location.pathname + location.search);
    if (story.contentDocument && story.contentDocument.body) story.contentDocument.body.replaceChildren();
    title.replaceChildren();
    facts.replaceChildren();
    cancel.hidden = retry.hidden = true;
    send({ type: "open", id });
  }

  function act(what, button) {
    button.disabled = true;
    send({ type: what, id: chosen });
  }

  function tell() {
    const now = model.detail ? JSON.parse(model.detail) : null;
    if (!now || now.id !== chosen) return;
    cancel.disabled = retry.disabled = false;
    cancel.hidden = !now.may_cancel;
    retry.hidden = !now.may_retry;
    title.replaceChildren(make("span", {}, "Execution"), make("code", { title: "id" }, now.id));
    const link = (id) => make("a", { href: `#${id}`, onclick: (event) => { event.preventDefault(); choose(id); } }, id.slice(0, 8));
    const facts_ = [
      now.started_at && make("span", {}, `started ${exact(now.started_at)}`),
      now.source && make("span", {}, `by ${now.source}`),
      now.user && make("span", {}, `user ${now.user}`),
      now.parent && make("span", {}, "run again after ", link(now.parent)),
    ];
    facts.replaceChildren(...facts_.filter(Boolean));
    const page = story.contentDocument;
    if (!page || !page.body) return;
    dress();
    const opened = [...page.querySelectorAll("details")].map((section) => section.open);
    const same = page.body.dataset.id === now.id;
    const { scrollTop } = page.scrollingElement || { scrollTop: 0 };
    page.body.innerHTML = now.html; // no scripts run in this frame, and nothing is loaded
    page.body.dataset.id = now.id;
    if (same) {
      page.querySelectorAll("details").forEach((section, at) => { if (opened[at] !== undefined) section.open = opened[at]; });
      page.scrollingElement.scrollTop = scrollTop;
    }
  }

  // All of it -----------------------------------------------------------------------------------

  const notice = make("div", { class: "notice", role: "status", hidden: true });
  let fading = 0;
  function say() {
    const { text, open } = JSON.parse(model.notice);
    cancel.disabled = retry.disabled = false;
    if (open) choose(open);
    notice.textContent = text;
    notice.hidden = false;
    clearTimeout(fading);
    fading = setTimeout(() => { notice.hidden = true; }, 5000);
  }

  const all = make("div", { class: "all", onkeydown: (event) => { if (event.key === "Escape" && chosen) choose(null); } }, list, detail, notice);
  const listen = () => {
    if (!model.listing) return;
    const next = JSON.parse(model.listing);
    told = next.error && told ? { ...told, error: next.error } : { executions: [], counts: {}, queue: { running: 0, waiting: 0, limit: 0 }, ...next };
    show();
  };
  model.on("listing", listen);
  model.on("detail", tell);
  model.on("notice", say);
  window.addEventListener("nbflow-theme", dress);
  const clock = setInterval(() => rows.forEach(tick), 1000);
  model.on("remove", () => { clearInterval(clock); window.removeEventListener("nbflow-theme", dress); });
  listen();
  const asked = location.hash.slice(1);
  if (asked) setTimeout(() => choose(asked), 0);
  return all;
}
