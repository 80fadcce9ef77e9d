// Before textual-serve's script: no text that a model wrote opens a page from elsewhere, be it clicked or not.
window.open = () => null;

// The websocket is where the page is, also at the other end of a tunnel.
document.addEventListener("DOMContentLoaded", () => {
  const place = window.location;
  document.getElementById("terminal").dataset.sessionWebsocketUrl = `ws://${place.host}${place.pathname}ws`;
});
