// The clerk's way through the pairs: keys, filters, progress. Nothing moves on before the server says that it is on the disk.

import { WORDS, about, candidates, element, sides, waterfall } from "./draw.js";

const by = (id) => document.getElementById(id);
const state = { pairs: [], answers: {}, at: 0, who: "", busy: false, doubled: 0, ended: false, choosing: false };

async function ask(path, body) {
  const how = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let reply;
  try {
    reply = await fetch(path, { ...how, cache: "no-store" });
  } catch {
    throw new Error("连不上 reconcile：它可能已经结束。刚才的按键没有存下。");
  }
  const said = await reply.json().catch(() => ({}));
  if (reply.ok || reply.status === 409) return said;
  throw new Error(said.problem || `出错了（${reply.status}）`);
}

function say(text, bad = false) {
  by("say").textContent = text;
  by("say").classList.toggle("bad", bad);
}

// One thing at a time: what is pressed while something is being stored does not count.
let going = Promise.resolve();

function alone(act) {
  if (!state.busy && !state.ended) going = done(act);
  return going;
}

// What must not get lost (a filter that says one thing beside a pair that says another) waits its turn.
async function inTurn(act) {
  while (state.busy) await going;
  return alone(act);
}

async function done(act) {
  busy(true);
  try {
    await act();
  } catch (error) {
    say(error.message, true);
  } finally {
    busy(false);
  }
}

function busy(is) {
  state.busy = is;
  by("main").setAttribute("aria-busy", String(is));
}

// ---- which pairs

const chosen = () => state.pairs.filter((pair) =>
  (!by("list").value || pair.list === by("list").value) && (!by("county").value || pair.county === by("county").value));

function wanted(pair) {
  const answer = state.answers[pair.n]?.answer;
  return { all: true, open: !answer, unsure: answer === "unsure" }[by("which").value];
}

// The nearest chosen pair after or before the one shown (none shown: from the beginning or the end); null if there is none.
function beside(step, fits) {
  const pairs = chosen().filter(fits);
  if (step > 0) return pairs.find((pair) => pair.n > state.at)?.n ?? null;
  return pairs.findLast((pair) => pair.n < (state.at || Infinity))?.n ?? null;
}

const unanswered = (pair) => !state.answers[pair.n];

// Where an answer leads: onwards, then to what was left out before.
function onwards() {
  const fits = by("which").value === "unsure" ? wanted : unanswered;
  return beside(1, fits) ?? chosen().find((pair) => fits(pair) && pair.n !== state.at)?.n ?? null;
}

// ---- showing

async function show(number) {
  const main = by("main");
  state.doubled = 0;
  if (number === null) {
    state.at = 0;
    sessionStorage.removeItem("at");
    delete main.dataset.pair;
    main.replaceChildren(element("p", { class: "done" }, finished()));
    refresh();
    return;
  }
  const detail = await ask(`api/pair/${number}`);
  state.at = number;
  sessionStorage.setItem("at", number);
  const pair = state.pairs[number - 1], pairs = chosen();
  const row = state.pairs.filter((each) => each.row === pair.row);
  const answer = state.answers[number];
  main.replaceChildren(about(detail, pairs.findIndex((each) => each.n === number) + 1, pairs.length, answer));
  if (row.length > 1) main.append(candidates(pair, row, state.answers, (n) => alone(() => show(n))));
  main.append(sides(detail), waterfall(detail));
  main.dataset.pair = number;
  main.scrollTop = 0;
  refresh();
}

function finished() {
  const open = state.pairs.filter(unanswered).length;
  if (!chosen().length) return "所选范围内没有要核的对，请换一个筛选。";
  if (by("which").value === "unsure") return "所选范围内没有别的判为“不确定”的对。";
  if (open) return `所选范围已核完；其他名册或县还有 ${open} 对未核，请换一个筛选。`;
  return "全部核完了。判断都已存下，下次运行 reconcile run 时采用。按“结束”，或按 k 再往回看。";
}

function refresh() {
  const pairs = chosen(), answer = state.answers[state.at]?.answer;
  const done = pairs.filter((pair) => state.answers[pair.n]).length;
  by("count").textContent = `已核 ${done} / ${pairs.length}`;
  by("bar").max = pairs.length || 1;
  by("bar").value = done;
  by("who").textContent = state.who ? `核查人：${state.who}` : "核查人：未填";
  for (const button of document.querySelectorAll(".answer")) {
    button.disabled = !state.at;
    button.setAttribute("aria-pressed", String(answer === button.dataset.answer));
  }
}

// ---- doing

async function answer(said) {
  if (!state.at) return;
  if (!state.who) return askWho();
  const number = state.at, pair = state.pairs[number - 1];
  const other = state.pairs.find((each) =>
    each.row === pair.row && each.n !== number && state.answers[each.n]?.answer === "same");
  if (said === "same" && other && state.doubled !== number) {
    state.doubled = number;
    return say(`这一行已判与第 ${other.candidate} 位是同一人。两位都是？再按一次 1 才记下。`, true);
  }
  const before = state.answers[number]?.answer ?? null;
  const reply = await ask("api/answer", { pair: number, answer: said, who: state.who, before });
  if (reply.problem) {
    state.answers = reply.answers;
    await show(number);
    return say(reply.problem, true);
  }
  state.answers[number] = reply.answer;
  await show(onwards());
  say(`已存：第 ${number} 号判为“${WORDS[said]}”。按 u 撤销。`);
}

async function undo() {
  if (!state.who) return askWho();
  const reply = await ask("api/undo", { who: state.who });
  state.answers = reply.answers;
  if (reply.n === null) {
    refresh();
    return say("没有可以撤销的判断。");
  }
  if (!chosen().some((pair) => pair.n === reply.n)) by("list").value = by("county").value = "";
  await show(reply.n);
  say(`已撤销第 ${reply.n} 号的判断。`);
}

async function move(step) {
  const number = beside(step, wanted);
  if (number === null) return say(step > 0 ? "后面没有了。" : "前面没有了。");
  await show(number);
  say("");
}

async function filter() {
  if (!state.choosing) by("main").focus(); // chosen with the mouse: 1, 2, 3 are answers again at once
  const here = chosen().find((pair) => pair.n === state.at && wanted(pair));
  await show(here?.n ?? chosen().find((pair) => wanted(pair) && unanswered(pair))?.n ?? chosen().find(wanted)?.n ?? null);
  say("");
}

function askWho() {
  by("name").value = state.who;
  if (!by("ask").open) by("ask").showModal();
}

function named(event) {
  event.preventDefault();
  const name = by("name").value.trim();
  if (!name) return;
  state.who = name;
  sessionStorage.setItem("who", name);
  by("ask").close();
  refresh();
}

async function end() {
  const open = state.pairs.filter(unanswered).length;
  await ask("api/end", {});
  state.ended = true;
  const left = open ? `还有 ${open} 对未核，下次接着核。` : "";
  by("main").replaceChildren(element("p", { class: "done" }, `已结束，判断都已存下。${left}可以关闭此页。`));
  for (const button of document.querySelectorAll("button, select")) button.disabled = true;
  say("");
}

// ---- keys

const ACTS = {
  1: () => answer("same"), 2: () => answer("different"), 3: () => answer("unsure"), u: undo, j: () => move(1), k: () => move(-1),
};

document.addEventListener("keydown", (event) => {
  if (by("ask").open || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  // A Chinese input method hides the letter ("Process", "１"): then the key's place tells it. (End on the number pad is no 1.)
  const place = event.key === "Process" || event.key.length === 1 ? event.code.replace(/^(Digit|Numpad|Key)/, "") : "";
  const act = ACTS[event.key.toLowerCase()] ?? ACTS[place.toLowerCase()];
  if (!act) return;
  if (event.target instanceof HTMLSelectElement) return say("现在选的是筛选框：按 Esc 回来核对。");
  event.preventDefault();
  alone(act);
});

for (const button of document.querySelectorAll(".answer")) {
  button.addEventListener("click", () => alone(() => answer(button.dataset.answer)));
}
by("undo").addEventListener("click", () => alone(undo));
by("previous").addEventListener("click", () => alone(() => move(-1)));
by("next").addEventListener("click", () => alone(() => move(1)));
by("end").addEventListener("click", () => alone(end));
by("who").addEventListener("click", askWho);
by("ask-form").addEventListener("submit", named);
by("ask").addEventListener("close", () => by("main").focus());
for (const select of [by("list"), by("county"), by("which")]) {
  select.addEventListener("change", () => inTurn(filter));
  select.addEventListener("pointerdown", () => (state.choosing = false));
  select.addEventListener("keydown", (event) => {
    state.choosing = true;
    if (event.key === "Escape") by("main").focus();
  });
}

// ---- beginning

function choices(select, all, options) {
  select.replaceChildren(element("option", { value: "" }, all));
  for (const [value, title] of options) select.append(element("option", { value }, title));
}

await alone(async () => {
  const index = await ask("api/index");
  Object.assign(state, { pairs: index.pairs, answers: index.answers });
  choices(by("list"), "全部名册", index.lists);
  choices(by("county"), "全部县", index.counties);
  state.who = sessionStorage.getItem("who") || index.who;
  const last = Number(sessionStorage.getItem("at"));
  const first = state.pairs.find(unanswered)?.n ?? state.pairs[0]?.n ?? null;
  await show(last >= 1 && last <= state.pairs.length ? last : first);
  if (!state.who) askWho();
  document.body.dataset.ready = "yes";
});
