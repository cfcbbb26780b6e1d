// One tab owns the phone: of all tabs of this browser that show the desk, one steers the calls. The browser's own locks
// decide, so a tab that is closed or crashes gives it free at once.

const LOCK = 'belfry.desk';

/** Takes part in the choice while the component lives. */
export class Owner {
  /** This tab is the one. */
  mine = $state(false);
  private release: (() => void) | null = null;
  private alive = true;

  constructor() {
    $effect(() => {
      this.alive = true;
      this.queue(false);
      return () => {
        this.alive = false;
        this.release?.();
      };
    });
  }

  /** Makes this tab the one; the other is told. */
  take(): void {
    this.queue(true);
  }

  private queue(steal: boolean): void {
    const held = () =>
      new Promise<void>((free) => {
        if (!this.alive) return free();
        this.mine = true;
        this.release = free;
      });
    navigator.locks.request(LOCK, steal ? { steal: true } : {}, held).catch(() => {
      // Another tab took it; wait until that one is gone.
      this.mine = false;
      this.release = null;
      if (this.alive) this.queue(false);
    });
  }
}
