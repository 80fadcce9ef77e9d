"use strict";
// Tables: a click on a head sorts by its column, by number where there is one; what has none comes last.
for (const head of document.querySelectorAll("thead button")) {
  head.addEventListener("click", () => {
    const cell = head.parentElement, table = cell.closest("table"), column = cell.cellIndex;
    const down = cell.getAttribute("aria-sort") === "ascending";
    for (const other of cell.parentElement.children) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (group) => group.rows[0].cells[column].textContent.trim();
    const number = (text) => column && /^[+-]?\d/.test(text) ? parseFloat(text) : NaN;
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)], [p, q] = [number(x), number(y)];
      if (isNaN(p) !== isNaN(q)) return isNaN(p) ? 1 : -1;
      return (down ? -1 : 1) * (isNaN(p) ? x.localeCompare(y) : p - q);
    };
    table.append(...[...table.tBodies].sort(order));
  });
}
// Samples: one prompt at a time. Without scripts all of them are there, below each other.
const pages = [...document.querySelectorAll("article.prompt")], which = document.getElementById("which");
if (pages.length > 1) {
  const show = (at) => {
    which.value = at;
    pages.forEach((page, i) => { page.hidden = i !== at; });
    document.getElementById("before").disabled = at === 0;
    document.getElementById("after").disabled = at === pages.length - 1;
  };
  document.querySelector(".pager").hidden = false;
  which.addEventListener("change", () => show(which.selectedIndex));
  for (const [id, step] of [["before", -1], ["after", 1]]) {
    document.getElementById(id).addEventListener("click", () => show(which.selectedIndex + step));
  }
  show(0);
}
