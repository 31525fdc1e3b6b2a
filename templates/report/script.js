"use strict";
for (const table of document.querySelectorAll("table.listing")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim();
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isNumber = head.classList.contains("number");
      const before = head.getAttribute("aria-sort") ?? (isNumber ? "ascending" : "descending");
      const order = before === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => [keyOf(row, column), row]);
      rows.sort(([a], [b]) => sign * compare(a, b));
      body.append(...rows.map(([, row]) => row));
    });
  });

  if (body.rows.length < 5) continue;
  const filter = document.createElement("p");
  filter.className = "filter";
  const label = document.createElement("label");
  const input = document.createElement("input");
  const status = document.createElement("span");
  label.append("Filter ", input);
  input.type = "search";
  input.setAttribute("aria-label", "Filter: " + document.getElementById(table.getAttribute("aria-labelledby")).textContent);
  status.setAttribute("role", "status");
  filter.append(label, " ", status);
  table.parentElement.before(filter);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    status.textContent = wanted === "" ? "" : `${shown} of ${body.rows.length} rows`;
  });
}
