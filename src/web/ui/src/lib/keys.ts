// Keyboard short cuts of the frame: `g` then a letter goes to a page, `/` to the search, `?` to the help. Never while
// somebody types, never with a modifier.

/** A second key later than this is not taken as belonging to `g`. */
const PAIR_MS = 1500;

function typing(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable], dialog') !== null;
}

export function goKeys(go: (letter: string) => void, search: () => void, help: () => void): (e: KeyboardEvent) => void {
  let pressedAt = 0;
  return (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return;
    if (pressedAt > 0 && e.timeStamp - pressedAt < PAIR_MS) {
      pressedAt = 0;
      go(e.key);
    } else if (e.key === 'g') {
      pressedAt = e.timeStamp;
    } else if (e.key === '/') {
      e.preventDefault();
      search();
    } else if (e.key === '?') {
      help();
    }
  };
}
