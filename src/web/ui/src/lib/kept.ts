// What lists of the box showed last, for who comes back to their page: shown at once while the box is asked again, so that
// a page does not begin with "Loading" each time. Holds answers of one person: gone when somebody signs in.
import { whenIdle } from './idle';

/** Answers held, some dozens of kilobytes each; the oldest makes room. */
const MOST = 20;

const answers = new Map<string, unknown>();

/** What this list was answered last. */
export function recall<T>(list: string): T | undefined {
  return answers.get(list) as T | undefined;
}

/** Keeps an answer, and hands it on. */
export function keep<T>(list: string, answer: T): T {
  answers.delete(list);
  answers.set(list, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= MOST) break;
    answers.delete(oldest);
  }
  return answer;
}

/** Somebody else may sign in at this browser. */
export function forget(): void {
  answers.clear();
}

/** Asks at once when nothing is known, else when the page stands: asking costs a slow browser some milliseconds. Answers how
    to take it back. */
export const refresh = (known: boolean, ask: () => void): (() => void) => {
  if (known) return whenIdle(ask);
  ask();
  return () => {};
};
