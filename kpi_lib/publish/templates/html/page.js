"use strict";
// The page is complete without this script. It sorts tables and takes boxes that need no scrolling out of the tab order.
// How the page's language writes numbers stands at <html>: {group, decimal, units: {unit: seconds}}.
const { group, decimal, units } = JSON.parse(document.documentElement.dataset.numbers);
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const GROUPED = new RegExp(`(?<=\\d)${escaped(group)}(?=\\d)`, "g");
const DECIMAL = new RegExp(`(?<=\\d)${escaped(decimal)}(?=\\d)`, "g");
const LONGEST_FIRST = Object.keys(units).sort((a, b) => b.length - a.length).map(escaped).join("|");
const DURATION = new RegExp(`([\\d.]+)\\s*(${LONGEST_FIRST})(?![\\p{L}\\p{M}])`, "gu");
const MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function sortKey(text) {
  const plain = text.replace(MARKS, "").replace(/[٠-٩۰-۹]/g, (digit) => digit.charCodeAt(0) & 15)
    .replace(GROUPED, "").replace(DECIMAL, ".");
  const parts = [...plain.matchAll(DURATION)];
  const number = parts.length
    ? parts.reduce((sum, part) => sum + parseFloat(part[1]) * units[part[2]], 0)
    : parseFloat(plain.match(/\d[\d.]*/)?.[0]);
  return Number.isNaN(number) ? null : /^[^\d]*(−|-(?=\d))/.test(plain) ? -number : number;
}

function compare(one, other, numeric) {
  const [a, b] = [one.trim(), other.trim()];
  if (!numeric) return a.localeCompare(b, document.documentElement.lang, { numeric: true });
  const [x, y] = [sortKey(a), sortKey(b)];
  if (x === null || y === null) return (x === null) - (y === null);
  return x - y;
}

function makeSortable(table) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  if (table.dataset.order === "fixed" || rows.length < 3 || rows.some((row) => row.cells[0].textContent.startsWith("\u2003"))) return;
  heads.forEach((head, place) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button"), numeric = !head.classList.contains("kpi-left");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const steps = numeric ? ["none", "descending", "ascending"] : ["none", "ascending", "descending"];
      const next = steps[(steps.indexOf(head.ariaSort ?? "none") + 1) % 3], way = next === "descending" ? -1 : 1;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      if (next !== "none") head.ariaSort = next;
      const cell = (row) => row.cells[place].textContent;
      const empty = (row) => numeric && sortKey(cell(row).trim()) === null;
      const sorted = next === "none" ? rows : [...rows].sort(
        (a, b) => empty(a) - empty(b) || way * compare(cell(a), cell(b), numeric));
      body.append(...sorted);
    });
  });
}

const watch = new ResizeObserver((seen) => seen.forEach(({ target }) => {
  if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
  else target.removeAttribute("tabindex");
}));
document.querySelectorAll("table.kpi-table").forEach(makeSortable);
document.querySelectorAll(".kpi-scroll, .wide, pre").forEach((box) => watch.observe(box));
