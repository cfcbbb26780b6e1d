// Brings the other pages into the browser while it has nothing to do, so that a click opens one without asking the box for
// its files. Begins when the first page stands, goes one by one, and not on a line that is paid by the byte.
import { whenIdle } from './idle';
import { bring, type PageEntry } from './pages';

/** The first page and what it asks of the box go first. */
const AFTER_MS = 1_500;
export function warm(pages: readonly PageEntry[]): void {
  const line = (navigator as Navigator & { connection?: { saveData?: boolean } }).connection;
  if (line?.saveData) return;
  setTimeout(() => void all(pages), AFTER_MS);
}

async function all(pages: readonly PageEntry[]): Promise<void> {
  for (const page of pages) {
    await idle();
    try {
      await bring(page);
    } catch {
      // Opening the page says what is wrong.
      return;
    }
  }
}

const idle = (): Promise<void> => new Promise((done) => void whenIdle(done));
