// Runs what a button asks of the box; a refusal becomes a message at the edge of the page.
import { sentence } from './errors';
import { toast } from './toast.svelte';

/** True when the box did it. */
export async function act(run: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await run();
    if (done) toast(done);
    return true;
  } catch (e) {
    toast(sentence(e), 'bad');
    return false;
  }
}
