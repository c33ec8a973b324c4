// Runs before anything is drawn, so that nothing flickers: says that scripts run, and which theme is wanted.
{
  const root = document.documentElement;
  root.classList.add("js");
  const wanted = () => {
    try {
      return localStorage.getItem("layerkit-theme");
    } catch {
      return null; // a sandboxed page has no storage
    }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = wanted() ?? (dark.matches ? "dark" : "light");
}
