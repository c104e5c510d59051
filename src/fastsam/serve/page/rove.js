// A list of buttons as one Tab stop: arrow keys move in it, Home and End go to its ends.

export function rove(list) {
  const buttons = () => [...list.querySelectorAll('button')];
  list.addEventListener('keydown', (event) => {
    const all = buttons(), at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, to))].focus();
  });
  list.addEventListener('focusin', (event) => {
    for (const one of buttons()) one.tabIndex = one === event.target ? 0 : -1;
  });
}

// Puts new rows into a list; the row whose `data-key` had the focus has it again, or else its neighbour.
export function fill(list, rows) {
  const old = [...list.querySelectorAll('button')], held = document.activeElement, was = old.indexOf(held), key = held?.dataset?.key;
  list.replaceChildren(...rows);
  const all = [...list.querySelectorAll('button')];
  const stop = was < 0 ? all[0] : all.find((one) => one.dataset.key === key) ?? all[Math.min(was, all.length - 1)];
  for (const one of all) one.tabIndex = one === stop ? 0 : -1;
  if (was >= 0) stop?.focus({ preventScroll: true });
}
