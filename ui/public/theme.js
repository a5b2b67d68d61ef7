// Before the first paint: the theme that was chosen here, else the system's.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("headway.theme");
  } catch {}
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
