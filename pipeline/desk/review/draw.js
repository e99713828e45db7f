// Draws one pair: the two sides with their differences, and the weights as a waterfall. Text goes in as text, never as markup.

export const WORDS = { same: "同一人", different: "不是", unsure: "不确定" };
const SIGNS = { same: "✓", different: "✗", unsure: "?" };

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function badge(answer) {
  return answer ? `${SIGNS[answer.answer]} ${WORDS[answer.answer]}` : "未核";
}

// One line above: which pair, how sure, how it was found, what has been said of it.
export function about(pair, position, count, answer) {
  const line = element("section", { class: "about" },
    element("span", {}, `编号 ${pair.n}`, element("span", { class: "soft" }, `（所选第 ${position} 对，共 ${count} 对）`)),
    element("span", { class: "chance" }, `是同一人的概率 ${pair.probability}`,
      element("small", {}, pair.alone === pair.probability ? "" : "（与其他候选一并衡量）")),
    element("span", {}, pair.method),
    element("span", { class: "soft" }, pair.keys ? `由${pair.keys}找到` : ""));
  if (answer) {
    const words = `已判 ${badge(answer)}（${answer.who}，${answer.at}）`;
    line.append(element("span", { class: `said ${answer.answer}` }, words));
  }
  return line;
}

// The other candidates of the same row; `go` is called with a pair's number.
export function candidates(current, of, answers, go) {
  const box = element("section", { class: "row-of", "aria-label": "同一行的候选" },
    `这一行有 ${of.length} 位候选，最多一位是本人：`);
  for (const each of of) {
    const button = element("button", { type: "button" }, `第 ${each.candidate} 位 ${badge(answers[each.n])}`);
    if (each.n === current.n) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => go(each.n));
    box.append(button);
  }
  const chosen = of.find((each) => each.n !== current.n && answers[each.n]?.answer === "same");
  if (chosen) box.append(element("span", { class: "warn" }, `已判第 ${chosen.candidate} 位是同一人`));
  return box;
}

export function sides(pair) {
  const place = [pair.file.split("/").pop(), pair.sheet && `工作表“${pair.sheet}”`].filter(Boolean).join("，");
  const line = element("span", { class: "nowrap" }, `，第${pair.row}行`);
  const again = pair.repeats ? `（另有 ${pair.repeats} 行内容相同，一并判断）` : "";
  const head = element("tr", {},
    element("th", { class: "label", scope: "col" }, "项目"),
    element("th", { scope: "col" }, pair.list, element("small", { title: pair.file }, place, line, again)),
    element("th", { class: "sign", scope: "col", "aria-label": "异同" }),
    element("th", { scope: "col" }, "持证残疾人名册", element("small", {}, pair.county)));
  const rows = pair.shown.map((line) => element("tr", line.same === false ? { class: "differs" } : {},
    element("th", { class: "label", scope: "row" }, line.label),
    cell(line.row),
    element("td", { class: "sign" }, { true: "=", false: "≠", null: "–" }[line.same]),
    cell(line.register)));
  return element("table", { class: "sides" }, element("thead", {}, head), element("tbody", {}, ...rows));
}

function cell(pieces) {
  if (pieces === null) return element("td", {}, element("span", { class: "none" }, "未写"));
  return element("td", {}, ...pieces.map(piece));
}

function piece([text, kind]) {
  if (kind === "gap") return element("mark", { class: "gap", role: "img", "aria-label": "此处缺字", title: "此处缺字" });
  if (kind === "other") return element("mark", {}, text.replace(/\s/gu, "␣")); // a space that differs must be seen
  return text;
}

const WIDE = 410, LEFT = 8, RIGHT = 346, STEP = 42, TOP = 4;

// Bars from 0: each begins where the one before ended, so that the last one's end is the total.
export function waterfall(pair) {
  const steps = [...pair.weights, { field: "合计", level: `单看这一对 ${pair.alone}`, bits: pair.total, total: true }];
  let reached = 0;
  const bars = steps.map((step) => {
    const from = step.total ? 0 : reached;
    reached = from + step.bits;
    return { ...step, from, to: reached };
  });
  const ends = bars.flatMap((bar) => [bar.from, bar.to]);
  const low = Math.min(-1, ...ends), high = Math.max(1, ...ends);
  const x = (bits) => LEFT + ((bits - low) / (high - low)) * (RIGHT - LEFT);
  const tall = TOP + bars.length * STEP + 18;
  const words = bars.map((bar) => `${bar.field} ${bar.level} ${signed(bar.bits)}`).join("，");
  const picture = shape("svg", { viewBox: `0 0 ${WIDE} ${tall}`, role: "img", "aria-label": `证据（比特）：${words}` },
    hatch(),
    shape("line", { class: "axis", x1: x(0), x2: x(0), y1: TOP, y2: tall - 16 }),
    shape("text", { class: "tick", x: Math.max(x(0), 32), y: tall - 3 }, "0（两可）"));
  bars.forEach((bar, at) => picture.append(...drawn(bar, bars[at + 1], TOP + at * STEP, x)));
  return element("section", { class: "weights" }, element("h2", {}, "证据：向右像同一人，向左不像"), picture);
}

function drawn(bar, next, y, x) {
  const left = Math.min(x(bar.from), x(bar.to)), right = Math.max(x(bar.from), x(bar.to));
  const kind = bar.total ? "total" : bar.bits < 0 ? "against" : bar.bits > 0 ? "for" : "none";
  const level = bar.level ? `　${bar.level}` : "";
  const parts = [
    shape("text", { x: LEFT, y: y + 14 }, bar.field, shape("tspan", { class: "level" }, level)),
    shape("rect", { class: kind, x: left, y: y + 19, width: Math.max(right - left, 1.5), height: 13 }),
    shape("text", { class: "bits", x: WIDE - 4, y: y + 31 }, signed(bar.bits)),
  ];
  if (next && !next.total) {
    parts.push(shape("line", { class: "link", x1: x(bar.to), x2: x(bar.to), y1: y + 32, y2: y + STEP + 19 }));
  }
  if (bar.total) parts.push(shape("line", { class: "sum", x1: LEFT, x2: WIDE - 4, y1: y - 1, y2: y - 1 }));
  return parts;
}

function hatch() {
  const line = shape("path", { class: "hatch", d: "M0 0V6" });
  const pattern = { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return shape("defs", {}, shape("pattern", pattern, line));
}

function signed(bits) {
  const size = Math.abs(bits).toFixed(1);
  return size === "0.0" ? "0" : `${bits < 0 ? "−" : "+"}${size}`;
}
