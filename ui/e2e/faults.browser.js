// Runs in the page: see layout.ts.

const CONTROLS = "a[href], button, input, select, textarea, summary, h1, h2, [role=status]";
// Planes that are moved and scaled: what lies on them is cut where the plane ends.
const PLANES = "[role=treegrid], [data-plane]";

function nameOf(element) {
  const text = element.getAttribute("aria-label") ?? element.textContent ?? "";
  return `${element.tagName.toLowerCase()} “${text.trim().slice(0, 40)}”`;
}

/** Its own words do not fit, and no dots say so. */
function isCut(element) {
  const style = getComputedStyle(element);
  if (style.overflowX === "visible" || style.textOverflow === "ellipsis") return false;
  if (element.matches("input, textarea, select")) return false;
  return element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
}

/** Its icon is wider than it. */
function cutsItsIcon(element) {
  if (!element.matches("button, a")) return false;
  const { left, right } = element.getBoundingClientRect();
  return [...element.querySelectorAll("svg")].some((icon) => {
    const box = icon.getBoundingClientRect();
    return box.width > 0 && (box.left < left - 1 || box.right > right + 1);
  });
}

/** Words of a wrapped text that begin left of what they belong to: where `clip-path` cuts them. */
function isClipped(element) {
  const clip = getComputedStyle(element).clipPath.match(/inset\((.*)\)/)?.[1];
  if (!clip) return false;
  const [, , , left = "0"] = clip.split(" ");
  const from = element.getBoundingClientRect().left + Number.parseFloat(left);
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const words = document.createRange();
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    words.selectNodeContents(text);
    const boxes = [...words.getClientRects()];
    if (boxes.some((box) => box.width > 2 && box.left < from - 3)) return true;
  }
  return false;
}

/** What a table shows in its columns, without scrolling sideways. */
function overflowOf(table) {
  const frame = table.parentElement;
  return frame ? frame.scrollWidth - frame.clientWidth : 0;
}

/** Prose in a column of a few letters. */
function isSqueezed(element) {
  const { width } = element.getBoundingClientRect();
  return width > 0 && width < 80 && (element.textContent ?? "").trim().length > 40;
}

/** How a frame shows what lies in it, across and down: whole, by scrolling, or cut. */
function showing(style) {
  const scrolls = (overflow) => /auto|scroll/.test(overflow);
  const [across, down] = [scrolls(style.overflowX), scrolls(style.overflowY)];
  return {
    across: across || style.textOverflow === "ellipsis",
    down: down || across,
  };
}

/** The part that is seen now; null when some of it cannot be brought to sight by scrolling. */
function seenPart(element, box) {
  let { left, top, right, bottom } = box;
  for (let above = element.parentElement; above; above = above.parentElement) {
    const style = getComputedStyle(above);
    if (style.position === "fixed") break;
    if (style.overflow === "visible") continue;
    const frame = above.getBoundingClientRect();
    const shown = showing(style);
    if (!shown.across && (left < frame.left - 1 || right > frame.right + 1)) return null;
    if (!shown.down && (top < frame.top - 1 || bottom > frame.bottom + 1)) return null;
    [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
    [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
    if (left >= right || top >= bottom) break; // scrolled away
  }
  return new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
}

/** What floats over the page lies over it on purpose. */
function layerOf(element) {
  for (let above = element; above; above = above.parentElement) {
    const floats = /fixed|sticky/.test(getComputedStyle(above).position);
    if (floats || above.matches("dialog, [role=menu]")) return above;
  }
  return null;
}

function overlap(one, other) {
  if (one.element.contains(other.element) || other.element.contains(one.element)) return false;
  if (!meet(one.box, other.box)) return false;
  const lines = (each) => [...each.element.getClientRects()]; // words that go on in the next line
  const meeting = lines(one).some((line) => lines(other).some((beside) => meet(line, beside)));
  return meeting && layerOf(one.element) === layerOf(other.element);
}

function meet(one, other) {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return across > 2 && down > 2;
}

function shownControls() {
  return [...document.querySelectorAll(CONTROLS)].filter((element) => {
    if (element.closest(PLANES) || !element.checkVisibility({ visibilityProperty: true }))
      return false;
    const { width, height } = element.getBoundingClientRect();
    return width >= 2 && height >= 2; // less is for those who hear the page
  });
}

function faultsOfText() {
  const found = [];
  for (const element of document.querySelectorAll("main p, main dd"))
    if (!element.closest(PLANES) && isSqueezed(element))
      found.push(`${nameOf(element)} is squeezed`);
  for (const element of document.querySelectorAll("main h1 ~ div *"))
    if (isClipped(element)) found.push(`${nameOf(element)} is clipped`);
  return found;
}

/** A row of links that others leave no height: it scrolls across, so that its being cut is no overflow. */
function faultsOfRows() {
  return [...document.querySelectorAll("nav")]
    .filter((row) => row.clientHeight > 0 && getComputedStyle(row).flexDirection === "row")
    .filter((row) => row.scrollHeight > row.clientHeight + 1)
    .map((row) => `the row ${nameOf(row)} is cut off`);
}

function faultsOfTables() {
  const tables = [...document.querySelectorAll("main [role=table]")];
  return tables
    .filter((table) => overflowOf(table) > 1)
    .map((table) => `the table ${nameOf(table)} is ${overflowOf(table)}px wider than its frame`);
}

window.layoutFaults = () => {
  const found = [...faultsOfText(), ...faultsOfRows(), ...faultsOfTables()];
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) found.push(`the page is ${wide}px wider than the window`);
  const seen = [];
  for (const element of shownControls()) {
    if (isCut(element) || cutsItsIcon(element)) found.push(`${nameOf(element)} is cut off`);
    const box = seenPart(element, element.getBoundingClientRect());
    if (box === null) found.push(`${nameOf(element)} is partly hidden`);
    else if (box.width > 1 && box.height > 1) seen.push({ element, box });
  }
  for (const [at, one] of seen.entries())
    for (const other of seen.slice(at + 1))
      if (overlap(one, other))
        found.push(`${nameOf(one.element)} and ${nameOf(other.element)} overlap`);
  return [...new Set(found)];
};
