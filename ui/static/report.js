// The Shift report: paper.

document.getElementById("print").addEventListener("click", () => window.print());
