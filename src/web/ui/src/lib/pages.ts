// The pages: address, title, picture, who may see them, and the module that loads when they are opened.
import type { Component } from 'svelte';
import type { IconName } from '../kit/icons';
import { NAV } from '../texts/common';
import type { Text } from './i18n.svelte';
import type { Role } from './types';

export interface PageEntry {
  /** First part of the path; empty for the overview. */
  at: string;
  title: Text;
  icon: IconName;
  group: Text | null;
  roles: readonly Role[];
  /** Letter after `g`. */
  key: string;
  load: () => Promise<{ default: Component }>;
}

const EVERYBODY: readonly Role[] = ['admin', 'supervisor', 'agent', 'user'];
const LEADERS: readonly Role[] = ['admin', 'supervisor'];
const WORKERS: readonly Role[] = ['admin', 'supervisor', 'agent'];
const ADMIN: readonly Role[] = ['admin'];

export const PAGES: readonly PageEntry[] = [
  { at: '', title: NAV.overview, icon: 'overview', group: null, roles: LEADERS, key: 'o', load: () => import('../pages/Overview.svelte') },
  { at: 'desk', title: NAV.desk, icon: 'agents', group: NAV.groupCalls, roles: WORKERS, key: 'w', load: () => import('../pages/Desk.svelte') },
  { at: 'calls', title: NAV.calls, icon: 'live', group: NAV.groupCalls, roles: LEADERS, key: 'c', load: () => import('../pages/Calls.svelte') },
  { at: 'history', title: NAV.history, icon: 'history', group: NAV.groupCalls, roles: EVERYBODY, key: 'h', load: () => import('../pages/History.svelte') },
  { at: 'voicemail', title: NAV.voicemail, icon: 'voicemail', group: NAV.groupCalls, roles: EVERYBODY, key: 'v', load: () => import('../pages/Voicemail.svelte') },
  { at: 'contacts', title: NAV.contacts, icon: 'user', group: NAV.groupCalls, roles: WORKERS, key: 'p', load: () => import('../pages/Contacts.svelte') },
  { at: 'queues', title: NAV.queues, icon: 'queue', group: NAV.groupCalls, roles: WORKERS, key: 'q', load: () => import('../pages/Queues.svelte') },
  { at: 'supervise', title: NAV.supervise, icon: 'eye', group: NAV.groupCalls, roles: LEADERS, key: 'i', load: () => import('../pages/Supervise.svelte') },
  { at: 'reports', title: NAV.reports, icon: 'events', group: NAV.groupCalls, roles: LEADERS, key: 'r', load: () => import('../pages/Reports.svelte') },
  { at: 'wall', title: NAV.wall, icon: 'overview', group: NAV.groupCalls, roles: LEADERS, key: 'l', load: () => import('../pages/Wall.svelte') },
  { at: 'campaigns', title: NAV.campaigns, icon: 'phone', group: NAV.groupCalls, roles: LEADERS, key: 'm', load: () => import('../pages/Campaigns.svelte') },
  { at: 'extensions', title: NAV.extensions, icon: 'phone', group: NAV.groupSite, roles: ADMIN, key: 'x', load: () => import('../pages/Extensions.svelte') },
  { at: 'trunks', title: NAV.trunks, icon: 'trunk', group: NAV.groupSite, roles: ADMIN, key: 't', load: () => import('../pages/Trunks.svelte') },
  { at: 'numbers', title: NAV.numbers, icon: 'numbers', group: NAV.groupSite, roles: ADMIN, key: 'n', load: () => import('../pages/Numbers.svelte') },
  { at: 'settings', title: NAV.settings, icon: 'settings', group: NAV.groupBox, roles: ADMIN, key: 's', load: () => import('../pages/Settings.svelte') },
  { at: 'backup', title: NAV.backup, icon: 'backup', group: NAV.groupBox, roles: ADMIN, key: 'k', load: () => import('../pages/Backup.svelte') },
  { at: 'health', title: NAV.health, icon: 'health', group: NAV.groupBox, roles: LEADERS, key: 'b', load: () => import('../pages/Health.svelte') },
  { at: 'update', title: NAV.update, icon: 'refresh', group: NAV.groupBox, roles: ADMIN, key: 'u', load: () => import('../pages/Update.svelte') },
  { at: 'config', title: NAV.config, icon: 'changes', group: NAV.groupBox, roles: ADMIN, key: 'd', load: () => import('../pages/ConfigHistory.svelte') },
  { at: 'capture', title: NAV.capture, icon: 'record', group: NAV.groupBox, roles: ADMIN, key: 'a', load: () => import('../pages/Capture.svelte') },
  { at: 'events', title: NAV.events, icon: 'events', group: NAV.groupBox, roles: ADMIN, key: 'e', load: () => import('../pages/Events.svelte') },
];

/** Pages that are in the browser: even a module that was loaded long ago is handed out a task or two later, in which a
    slow browser draws the old page once more. */
const here = new Map<PageEntry, Component>();

/** The page, if it is in the browser. */
export const ready = (page: PageEntry): Component | undefined => here.get(page);

/** Brings a page into the browser. */
export async function bring(page: PageEntry): Promise<Component> {
  const { default: component } = await page.load();
  here.set(page, component);
  return component;
}

/** The page that a role sees first. */
export function home(role: Role): PageEntry | undefined {
  return PAGES.find((p) => p.roles.includes(role));
}
