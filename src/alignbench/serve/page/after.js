// After textual-serve's script has made the terminal: keys are for the app, F5 too, before anything is clicked.
window.addEventListener("load", () => {
  const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
  focus();
  window.addEventListener("focus", focus);
});
