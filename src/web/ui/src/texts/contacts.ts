// Texts of contacts.
import { texts } from '../lib/i18n.svelte';

export const CT = texts({
  title: ['Contacts', '联系人'],
  intro: [
    'Who calls: names on phones and on the agent’s desk, and the class that queues and menus go by.',
    '来电者是谁：话机和坐席工作台上显示的姓名，以及队列和语音菜单所依据的类别。',
  ],
  fresh: ['New contact', '新建联系人'],
  one: ['Contact {name}', '联系人 {name}'],
  none: ['No contacts yet', '尚无联系人'],
  noneText: [
    'Add the people who call, or import a list. Their name then appears while the phone rings.',
    '添加常来电的人，或导入名单。来电振铃时即显示其姓名。',
  ],
  noFit: ['No contact fits this search', '没有符合条件的联系人'],
  find: ['Name, company or number', '姓名、公司或号码'],
  name: ['Name', '姓名'],
  company: ['Company', '公司'],
  numbers: ['Numbers', '号码'],
  numbersHint: ['One a line, as people write them. Up to 8.', '每行一个，写法不限，最多 8 个。'],
  class: ['Class', '类别'],
  classHint: ['For example vip. Queues and menus may treat a class differently.', '例如 vip。队列和语音菜单可区别对待。'],
  anyClass: ['All classes', '全部类别'],
  language: ['Language', '语言'],
  unknown: ['Not known', '未知'],
  notes: ['Notes', '备注'],
  notesHint: ['Agents read this while the phone rings.', '坐席在振铃时即可看到。'],
  fields: ['Further fields', '其他字段'],
  fieldsHint: ['One a line as name = value, for example customer_no = 4711.', '每行一个，写作 名称 = 值，例如 customer_no = 4711。'],
  changed: ['Changed', '更改于'],
  saved: ['The contact is saved.', '联系人已保存。'],
  removed: ['The contact is deleted.', '联系人已删除。'],
  ask: ['Delete {name}? This cannot be undone.', '删除 {name}？此操作无法撤销。'],
  import: ['Import a list', '导入名单'],
  importText: [
    'A CSV file from a spreadsheet. The first line names the columns: number (several: number2, mobile), name, company, class, language, notes; any other column becomes a field. Who is known by a number is replaced.',
    '由电子表格存成的 CSV 文件。首行为列名：number（可多列：number2、mobile）、name、company、class、language、notes；其他列作为字段。号码已存在的联系人会被替换。',
  ],
  choose: ['Choose a file', '选择文件'],
  importing: ['Importing… {n} %', '正在导入… {n} %'],
  taken: ['{n} {n|line|lines} taken.', '已导入 {n} 行。'],
  refused: ['{n} {n|line was|lines were} not taken:', '{n} 行未导入：'],
  line: ['Line {n}: {text}', '第 {n} 行：{text}'],
  calls: ['Calls of this contact', '此联系人的通话'],
});

/** Problems of contacts in the language that the box does not write. */
export const CT_PROBLEM = texts({
  count: ['Too few or too many.', '数量过少或过多。'],
  wrong_number: ['This is not a number.', '不是有效号码。'],
  too_long: ['This is too long.', '内容过长。'],
  wrong_word: ['Use a-z, 0-9 and _ only.', '只能用 a-z、0-9 和 _。'],
  unknown: ['Use en or zh.', '请填 en 或 zh。'],
  taken: ['This number belongs to another contact.', '该号码已属于其他联系人。'],
  full: ['There is no room for more contacts.', '联系人数量已达上限。'],
  wrong_line: ['This line cannot be read.', '此行无法识别。'],
  missing: ['A name or a company is needed.', '姓名或公司至少填一项。'],
});
