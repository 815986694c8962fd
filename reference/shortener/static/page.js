// Shorten, follow, and see clicks arrive. All addresses are relative: the service may stand behind a path prefix.
"use strict";

const byId = (id) => document.getElementById(id);
const watched = new Map(); // code -> what the page knows of a link that was made here

byId("shorten").addEventListener("submit", async (event) => {
  event.preventDefault();
  const order = { long_url: byId("long-url").value.trim() };
  if (byId("alias").value) order.custom_alias = byId("alias").value;
  if (byId("expiry").value) order.expiry = byId("expiry").value;
  const answer = await ask("POST", "api/v1/shorten", order, { "Idempotency-Key": keyFor(order) });
  show(answer.problem);
  if (answer.problem) return;
  lastOrder = null;
  if (!watched.has(answer.body.code)) add(answer.body);
  byId("shorten").reset();
  byId("long-url").focus();
});

// The same order again, because no answer came, is the same link: it carries the same key.
let lastOrder = null;
function keyFor(order) {
  const text = JSON.stringify(order);
  if (lastOrder === null || lastOrder.text !== text) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    lastOrder = { text, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
  return lastOrder.key;
}

async function ask(method, path, body, headers = {}) {
  try {
    const told = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(path, { method, headers: { "Content-Type": "application/json", ...headers }, ...told });
    const text = await answer.text();
    const content = text ? JSON.parse(text) : null;
    if (answer.ok) return { status: answer.status, body: content };
    return { status: answer.status, problem: content };
  } catch {
    return { status: 0, problem: { detail: "The service does not answer. Try again." } };
  }
}

function show(problem) {
  const fields = { long_url: "long-url", custom_alias: "alias", expiry: "expiry" };
  const errors = problem?.errors ?? [];
  for (const id of Object.values(fields)) byId(id).removeAttribute("aria-invalid");
  const ids = errors.map((error) => fields[error.field]).filter(Boolean);
  if (problem?.type?.endsWith(":alias-taken")) ids.push("alias");
  for (const id of ids) byId(id).setAttribute("aria-invalid", "true");
  if (ids.length) {
    byId(ids[0]).closest("details")?.setAttribute("open", "");
    byId(ids[0]).focus();
  }
  byId("problem").textContent = problem ? errors.map((error) => error.message).join("; ") || problem.detail : "";
}

function add(link) {
  const item = byId("link").content.firstElementChild.cloneNode(true);
  const anchor = item.querySelector("a");
  anchor.href = link.code;
  anchor.textContent = link.short_url;
  item.querySelector(".long").textContent = link.long_url;
  item.querySelector(".delete").setAttribute("aria-label", `Delete ${link.short_url}`);
  item.querySelector(".delete").addEventListener("click", () => remove(link.code));
  byId("links").prepend(item);
  byId("none").hidden = true;
  watched.set(link.code, { link, item, clicks: 0 });
  news(`Made ${link.short_url}`);
}

async function remove(code) {
  const { link, item } = watched.get(code);
  const answer = await ask("DELETE", `api/v1/links/${code}`, undefined, { Authorization: `Bearer ${link.delete_token}` });
  if (answer.problem) {
    item.querySelector(".state").textContent = answer.problem.detail;
  } else {
    end(code, "Deleted.");
    byId("long-url").focus();
  }
}

function end(code, why) {
  const { link, item } = watched.get(code);
  watched.delete(code);
  item.classList.add("gone");
  item.querySelector(".delete").remove();
  item.querySelector(".state").textContent = why;
  news(`${link.short_url}: ${why}`);
}

async function refresh(code) {
  const answer = await ask("GET", `api/v1/stats/${code}`);
  const known = watched.get(code);
  if (known === undefined) return;
  const state = known.item.querySelector(".state");
  if (answer.status === 404) return end(code, "Deleted.");
  if (answer.problem) {
    state.textContent = answer.problem.detail;
    return;
  }
  state.textContent = "";
  const clicks = answer.body.clicks;
  const words = `${clicks} ${clicks === 1 ? "click" : "clicks"}`;
  known.item.querySelector(".clicks").textContent = words;
  if (clicks !== known.clicks) news(`${known.link.short_url}: ${words}`);
  known.clicks = clicks;
  draw(known.item.querySelector(".chart"), answer.body.windows.minutes ?? []);
}

function draw(chart, minutes) {
  const counts = minutes.map(([, count]) => count);
  const most = Math.max(1, ...counts);
  chart.setAttribute("aria-label", `Clicks a minute in the last ${counts.length} minutes, ${Math.max(0, ...counts)} at most`);
  chart.replaceChildren(...counts.map((count) => {
    const bar = document.createElement("span");
    bar.style.height = `${(100 * count) / most}%`;
    return bar;
  }));
}

function news(text) {
  byId("news").textContent = text;
}

// One round after the other, a second apart; none while nobody looks.
async function poll() {
  if (!document.hidden) await Promise.all([...watched.keys()].map(refresh));
  setTimeout(poll, 1000);
}
poll();
