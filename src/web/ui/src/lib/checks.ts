// Answers "can people call?" from the live data: one check for each thing that calls need, faults first. Decides what
// counts as a fault here; the box itself decides nothing by it.
import type { Level } from '../kit/State.svelte';
import { H, KIND } from '../texts/health';
import { O } from '../texts/overview';
import { TRUNK_CAUSE, TRUNK_REMEDY, word } from '../texts/words';
import { number, t } from './i18n.svelte';
import { trunkLevel } from './say';
import { lengthText } from './time.svelte';
import type { CheckView, Config, PhoneView, QueueView, SystemView, TrunkView } from './types';

export interface Check {
  id: string;
  level: Level;
  title: string;
  text: string;
  remedy?: string;
  href?: string;
  fix?: string;
  /** The page is open to supervisors too. */
  open?: boolean;
}

export interface Seen {
  system: SystemView | undefined;
  trunks: TrunkView[];
  phones: PhoneView[];
  queues: QueueView[];
  health: CheckView[];
  config: Config | null;
  status: { uptime_s?: number; disk_free_bytes?: number };
}

/** Fewer free ports than this will not carry a busy minute. */
const PORTS_FEW = 20;
/** A day of recordings of a small site. */
const DISK_FEW = 500_000_000;

const RANK: Record<Level, number> = { bad: 0, warn: 1, busy: 2, off: 3, ok: 4 };

export function checksOf(seen: Seen): Check[] {
  const all = [...trunks(seen), phones(seen), ...queues(seen), box(seen), ...health(seen), ...rules(seen)];
  return all.sort((a, b) => RANK[a.level] - RANK[b.level]);
}

function trunks(seen: Seen): Check[] {
  if (seen.trunks.length === 0) {
    return [{ id: 'trunks', level: 'warn', title: t(O.trunks), text: t(O.trunksNone), href: '/trunks', fix: t(O.trunkAdd) }];
  }
  const anyUp = seen.trunks.some((x) => x.state === 'up');
  return seen.trunks.map((x) => {
    const level = trunkLevel(x.state);
    const cause = word(TRUNK_CAUSE, x.cause);
    const check: Check = {
      id: `trunk ${x.trunk}`,
      // Another trunk still carries calls: somebody should look, nobody need run.
      level: level === 'bad' && anyUp ? 'warn' : level,
      title: t(O.trunk, { name: x.trunk }),
      text: level === 'ok' ? t(O.trunkUp, { cause, calls: x.calls, capacity: x.capacity }) : cause,
    };
    if (level !== 'ok') {
      if (x.cause in TRUNK_REMEDY) check.remedy = word(TRUNK_REMEDY, x.cause);
      check.href = `/trunks/${encodeURIComponent(x.trunk)}`;
      check.fix = t(O.trunkFix);
    }
    return check;
  });
}

function phones(seen: Seen): Check {
  const up = seen.phones.filter((p) => p.contacts.length > 0).length;
  return {
    id: 'phones',
    level: up === 0 ? 'bad' : 'ok',
    title: t(O.phones),
    text: up === 0 ? t(O.phonesNone) : t(O.phonesSome, { up, all: seen.phones.length }),
    href: '/extensions',
    fix: t(O.phonesFix),
  };
}

function queues(seen: Seen): Check[] {
  return seen.queues.map((q) => {
    const nobody = q.logged_in === 0;
    const waiting = q.waiting.length;
    return {
      id: `queue ${q.queue}`,
      level: nobody && waiting > 0 ? 'bad' : nobody ? 'warn' : 'ok',
      title: t(O.queues, { name: q.queue }),
      text: nobody
        ? waiting > 0
          ? t(O.queueNobody, { n: waiting })
          : t(O.queueEmpty)
        : t(O.queueFine, { ready: q.ready, busy: q.busy, waiting }),
      href: '/queues',
      fix: t(O.queueFix),
      open: true,
    };
  });
}

function box({ system, status }: Seen): Check {
  const disk = status.disk_free_bytes === undefined ? '' : size(status.disk_free_bytes);
  const ports = system?.free_ports ?? 0;
  const uptime = status.uptime_s === undefined ? '' : lengthText(status.uptime_s * 1000);
  const check = (level: Level, text: string): Check =>
    level === 'ok'
      ? { id: 'box', level, title: t(O.box), text }
      : { id: 'box', level, title: t(O.box), text, href: '/events', fix: t(O.boxFix) };
  if (!system) return check('warn', t(O.starting));
  if (!system.media) return check('bad', t(O.boxMedia));
  if (system.draining) return check('bad', t(O.boxDrain));
  if (system.calls >= system.call_limit) return check('bad', t(O.boxFull));
  if (status.disk_free_bytes !== undefined && status.disk_free_bytes < DISK_FEW) return check('warn', t(O.boxDisk, { disk }));
  if (ports < PORTS_FEW) return check('warn', t(O.boxPorts, { ports }));
  return check('ok', uptime ? t(O.boxFine, { uptime, ports, disk }) : t(O.boxShort, { ports }));
}

/** Trunks have their own line. */
function health(seen: Seen): Check[] {
  if (seen.health.length === 0) return [];
  const bad = seen.health.filter((c) => c.state === 'alarm' && c.kind !== 'trunk');
  const names = bad.map((c) => word(KIND, c.kind)).join(', ');
  const check: Check = {
    id: 'health',
    level: bad.length > 0 ? 'warn' : 'ok',
    title: t(H.tile),
    text: bad.length > 0 ? t(H.tileBad, { n: bad.length, names }) : t(H.well),
    href: '/health',
    fix: t(H.tileFix),
    open: true,
  };
  return [check];
}

function rules({ config, trunks: lines }: Seen): Check[] {
  if (!config || lines.length === 0) return [];
  const out: Check[] = [];
  if (config.inbound.length === 0) {
    out.push({ id: 'inbound', level: 'warn', title: t(O.inbound), text: t(O.inboundNone), href: '/numbers', fix: t(O.inboundFix) });
  }
  if (config.outbound.length === 0) {
    out.push({
      id: 'outbound',
      level: 'warn',
      title: t(O.outbound),
      text: t(O.outboundNone),
      href: '/numbers/outbound',
      fix: t(O.inboundFix),
    });
  }
  return out;
}

/** Bytes as people read them. */
export function size(bytes: number): string {
  return bytes >= 1e9 ? `${number(Math.round(bytes / 1e8) / 10)} GB` : `${number(Math.round(bytes / 1e6))} MB`;
}
