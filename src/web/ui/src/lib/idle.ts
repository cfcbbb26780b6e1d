// When the browser has nothing to do: what may come later must not hold up what a person waits for.

/** A page that is never idle gets it too. */
const AT_MOST_MS = 1_000;

/** Runs `work` when there is nothing else to do. Answers how to take it back. */
export function whenIdle(work: () => void): () => void {
  if ('requestIdleCallback' in window) {
    const id = requestIdleCallback(work, { timeout: AT_MOST_MS });
    return () => cancelIdleCallback(id);
  }
  const id = setTimeout(work, 50);
  return () => clearTimeout(id);
}
