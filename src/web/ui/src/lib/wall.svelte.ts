// What a screen on the wall shows, asked once a second: with the token of its link, or as whoever is signed in. Holds one
// answer and one timer, so a screen that runs for months holds no more than at its start.
import { ApiError, get } from './api';
import { learn } from './time.svelte';
import type { AgentStateName } from './types';

export interface WallQueue {
  queue: string;
  waiting: number;
  longest_since: number | null;
  ready: number;
  busy: number;
  logged_in: number;
  offered: number;
  answered: number;
  abandoned: number;
  in_level: number;
  wait_ms: number;
}
export interface WallAgent {
  name: string;
  state: AgentStateName;
  reason?: string;
  reason_text?: [string, string];
  overdue?: boolean;
  since: number;
}
export interface WallData {
  now: number;
  site: string;
  queues: WallQueue[];
  agents: WallAgent[];
  alarms: number;
}

const EVERY_MS = 1000;
/** A lost box is asked more slowly. */
const PAUSE_MS = 5000;

export class Wall {
  data = $state.raw<WallData | null>(null);
  /** Since when nothing has come; 0 = all is well. */
  lostAt = $state(0);
  /** The link is not valid any more. */
  revoked = $state(false);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(token: string | null) {
    $effect(() => {
      let over = false;
      const ask = async () => {
        let pause = EVERY_MS;
        try {
          const got = await get<WallData>('/wall', token ? { token, anonymous: true } : {});
          if (over) return;
          learn(got.now);
          this.data = got;
          this.lostAt = 0;
        } catch (e) {
          if (over) return;
          this.revoked = token !== null && e instanceof ApiError && e.status === 401;
          if (this.lostAt === 0) this.lostAt = Date.now();
          pause = PAUSE_MS;
        }
        this.timer = setTimeout(() => void ask(), pause);
      };
      void ask();
      return () => {
        over = true;
        clearTimeout(this.timer);
      };
    });
  }
}
