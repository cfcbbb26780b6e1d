// The box's machine words as people read them: stages, directions, outcomes, agent states, trunk causes with their
// remedies, steps of a journey, kinds of events. An unknown word is shown as it is.
import { lang, t, texts, type Slots, type Text } from '../lib/i18n.svelte';

/** The text for a word, or the word itself without underlines. */
export function word(table: Record<string, Text>, name: string, slots?: Slots): string {
  const text = table[name];
  return text ? t(text, slots) : name.replaceAll('_', ' ');
}

export const DIRECTION = texts({
  inbound: ['Inbound', '呼入'],
  internal: ['Internal', '内部'],
  outbound: ['Outbound', '呼出'],
});

export const OUTCOME = texts({
  open: ['In progress', '进行中'],
  answered: ['Answered', '已接听'],
  abandoned: ['Caller left', '主叫放弃'],
  busy: ['Busy', '忙线'],
  no_answer: ['No answer', '无人接听'],
  voicemail: ['Voicemail', '留言'],
  refused: ['Refused', '被拒绝'],
  failed: ['Failed', '失败'],
  interrupted: ['Cut by a restart', '因重启中断'],
});

export const STAGE = texts({
  routing: ['Looking for the way', '正在选路'],
  ivr: ['In the menu', '语音菜单中'],
  queued: ['Waiting in queue', '队列等待中'],
  offering: ['Ringing an agent', '坐席振铃中'],
  ringing: ['Ringing', '振铃中'],
  bridged: ['Talking', '通话中'],
  held: ['On hold', '保持中'],
  consulting: ['Asking a colleague', '正在咨询'],
  conference: ['Conference', '三方通话中'],
  voicemail: ['Leaving a message', '正在留言'],
  service: ['Service number', '服务号码'],
  clearing: ['Ending', '正在结束'],
});

export const AGENT = texts({
  logged_out: ['Logged out', '未登录'],
  not_ready: ['Not ready', '未就绪'],
  ready: ['Ready', '就绪'],
  offered: ['Ringing', '振铃中'],
  talking: ['Talking', '通话中'],
  wrap_up: ['Wrap-up', '话后处理'],
});

export const REASON = texts({
  missed: ['missed calls', '漏接来电'],
  break: ['break', '休息'],
  lunch: ['lunch', '午餐'],
  meeting: ['meeting', '会议'],
  training: ['training', '培训'],
});

export const TRUNK_STATE = texts({
  up: ['Up', '正常'],
  down: ['Down', '中断'],
  trying: ['Trying', '正在尝试'],
  refusing: ['Refuses calls', '拒绝呼叫'],
});

/** What a trunk's cause means. */
export const TRUNK_CAUSE = texts({
  registered: ['Registered with the carrier.', '已在运营商注册。'],
  answers_options: ['The carrier answers.', '运营商有应答。'],
  static: ['No check is made; calls are tried when they come.', '不做检测，有通话时直接尝试。'],
  starting: ['The first try is under way.', '正在进行首次尝试。'],
  wrong_password: ['The carrier refuses the user name or password.', '运营商拒绝了用户名或密码。'],
  forbidden: ['The carrier forbids this account or this address.', '运营商禁止此账户或此地址。'],
  not_found: ['The carrier does not know this account.', '运营商不认识此账户。'],
  no_answer: ['The carrier does not answer.', '运营商没有应答。'],
  timeout: ['The carrier does not answer in time.', '运营商未及时应答。'],
  name_unknown: ['The name of the carrier’s server cannot be found.', '找不到运营商服务器的域名。'],
  refused: ['The carrier refuses the registration.', '运营商拒绝注册。'],
  unreachable: ['There is no way through the network to the carrier.', '网络无法到达运营商。'],
  overloaded: ['The carrier says that it is overloaded.', '运营商表示其系统过载。'],
  expired: ['The registration ran out and was not renewed.', '注册已过期且未能续约。'],
  calls_password: [
    'The carrier answers, but refuses the user name or password of every call to outside.',
    '运营商有应答，但以用户名或密码为由拒绝所有呼出通话。',
  ],
  calls_forbidden: [
    'The carrier answers, but forbids every call to outside. Calls from outside still come.',
    '运营商有应答，但禁止所有呼出通话；呼入仍可到达。',
  ],
  silent: ['A call got no answer from it; other trunks are tried first until it answers.', '有一通呼叫未得到应答；在其恢复应答前优先使用其他中继。'],
});

/** What to do about it; causes without one need nothing. */
export const TRUNK_REMEDY = texts({
  wrong_password: [
    'Compare user name, authentication name and password with the carrier’s letter and save them again.',
    '请对照运营商提供的资料核对用户名、认证用户名和密码，然后重新保存。',
  ],
  forbidden: [
    'Ask the carrier whether the account is active and whether your public address must be on their list.',
    '请询问运营商账户是否已启用，以及您的公网地址是否需要列入白名单。',
  ],
  not_found: ['Check the user name and the SIP domain; many carriers want the number without +.', '请检查用户名和 SIP 域；许多运营商要求号码不带 +。'],
  no_answer: [
    'Check host, port and transport, and that the firewall lets SIP out (UDP or TCP 5060).',
    '请检查主机、端口和传输方式，并确认防火墙允许 SIP 出站（UDP 或 TCP 5060）。',
  ],
  timeout: [
    'Check host, port and transport, and that the firewall lets SIP out (UDP or TCP 5060).',
    '请检查主机、端口和传输方式，并确认防火墙允许 SIP 出站（UDP 或 TCP 5060）。',
  ],
  name_unknown: ['Check the spelling of the host and the name server of this network.', '请检查主机名的拼写和本网络的 DNS 服务器。'],
  refused: [
    'Read the carrier’s answer. Check SIP domain, user name, port and transport.',
    '请查看运营商答复，并检查 SIP 域、用户名、端口和传输方式。',
  ],
  unreachable: ['Check cable, gateway and internet connection of the box.', '请检查设备的网线、网关和互联网连接。'],
  calls_password: [
    'Compare user name, authentication name and password with the carrier’s letter. Without a password here, ask the carrier to let calls in from your public address.',
    '请对照运营商资料核对用户名、认证用户名和密码。若此处未设置密码，请让运营商允许来自您公网地址的呼叫。',
  ],
  calls_forbidden: [
    'Check that the number shown is one of yours, in the form the carrier wants, and ask them whether the account may call outside (credit, barring, a list of addresses).',
    '请检查主叫号码是否属于您且格式符合运营商要求，并询问运营商该账户是否允许呼出（余额、限制、地址白名单）。',
  ],
  overloaded: ['It is tried again by itself. If it lasts, call the carrier.', '系统会自动重试；若持续出现，请联系运营商。'],
  expired: ['It is tried again by itself. Check the network if it stays.', '系统会自动重试；若持续出现，请检查网络。'],
});

/** A step of a journey; `{d}` is its detail. */
export const STEP = texts({
  budget: ['Ended: {d}', '通话结束：{d}'],
  trunk_in: ['Came in over trunk {d}', '从中继 {d} 呼入'],
  dialled: ['Dialled {d}', '拨打 {d}'],
  flow: ['Menu “{d}” began', '进入语音菜单“{d}”'],
  menu: ['Menu step “{d}”', '菜单步骤“{d}”'],
  digit: ['Caller pressed {d}', '主叫按键 {d}'],
  collect: ['Digits collected: {d}', '收集到按键：{d}'],
  decision: ['A service named the agent: {d}', '外部服务指定坐席：{d}'],
  callback: ['Call back: {d}', '回电：{d}'],
  picked_up: ['{d} was picked up', '{d} 已接起'],
  machine: ['No person there: {d}', '无真人应答：{d}'],
  condition: ['Field {d}', '字段 {d}'],
  application: ['Application: {d}', '外部应用：{d}'],
  lookup: ['Service: {d}', '服务：{d}'],
  set: ['Field set: {d}', '设置字段：{d}'],
  speak: ['Voice: {d}', '语音：{d}'],
  speech: ['Speech: {d}', '语音输入：{d}'],
  step: ['Step {d}', '步骤 {d}'],
  prompt: ['Prompt {d}', '提示音 {d}'],
  survey: ['Score given: {d}', '评分：{d}'],
  table: ['Table: {d}', '查表：{d}'],
  timer: ['Nothing pressed in {d}', '{d} 无按键'],
  hours: ['Business hours: {d}', '营业时间：{d}'],
  language: ['Language: {d}', '语言：{d}'],
  waited: ['Takes a place in which {d} were waited', '接替已等待 {d} 的排队位置'],
  queue: ['Waits in queue “{d}”', '进入队列“{d}”等待'],
  offered: ['Rang {d}', '向 {d} 振铃'],
  missed: ['{d} did not answer', '{d} 未接听'],
  answered: ['{d} answered', '{d} 接听'],
  held: ['Put on hold by {d}', '被 {d} 保持'],
  resumed: ['Taken off hold by {d}', '由 {d} 恢复通话'],
  muted: ['{d} was muted', '{d} 已静音'],
  unmuted: ['{d} can be heard again', '{d} 取消静音'],
  consult: ['{d} is rung to be asked', '正在呼叫 {d} 进行咨询'],
  consulting: ['{d} is asked', '正在咨询 {d}'],
  invited: ['{d} is rung for the conference', '正在邀请 {d} 加入三方通话'],
  conference: ['{d} joined the conversation', '{d} 加入通话'],
  left: ['{d} left', '{d} 已离开'],
  expired: ['{d} gave no more sign of life (session timer)', '{d} 不再有响应（会话定时器到期）'],
  lost: ['{d} could not be reached any more', '{d} 已无法联系'],
  unconfirmed: ['{d} never confirmed the answer', '{d} 一直未确认应答'],
  transferred: ['Handed over: {d}', '已转接：{d}'],
  given_back: ['Nobody took it; {d} rings again', '无人接听，{d} 再次振铃'],
  supervised: ['Supervisor: {d}', '主管：{d}'],
  voicemail: ['To the mailbox of {d}', '转到 {d} 的语音信箱'],
  message: ['Left a message ({d})', '已留言（{d}）'],
  recording: ['Recording: {d}', '录音：{d}'],
  overflow: ['Left the queue: {d}', '离开队列：{d}'],
  outside: ['Called out over {d}', '经 {d} 呼出'],
  emergency: ['Emergency call to {d}', '紧急呼叫 {d}'],
  refused: ['Refused: {d}', '被拒绝：{d}'],
  transfer: ['Transferred to {d}', '转接到 {d}'],
  ended: ['Ended: {d}', '结束：{d}'],
});

/** The same steps when they have no detail, or one that says nothing to people. */
export const STEP_BARE = texts({
  trunk_in: ['Came in over a trunk', '从中继呼入'],
  recording: ['Recording began', '开始录音'],
  recording_paused: ['Recording paused', '录音暂停'],
  recording_resumed: ['Recording went on', '录音继续'],
  recording_stopped: ['Recording stopped', '录音停止'],
  held: ['Put on hold', '被保持'],
  resumed: ['Taken off hold', '恢复通话'],
  message: ['Left a message', '已留言'],
  voicemail: ['To a mailbox', '转到语音信箱'],
  answered: ['Answered', '已接听'],
  missed: ['No answer', '无人接听'],
  overflow: ['Left the queue by rule', '按规则离开队列'],
  refused: ['Refused', '被拒绝'],
  ended: ['Ended', '结束'],
});

/** Steps whose detail is a word of its own. */
export const STEP_ODD = texts({
  short: ['The message was too short and is not kept', '留言过短，未保存'],
  listen: ['Listens to voicemail', '收听语音信箱'],
  opened: ['Opened mailbox {d}', '打开语音信箱 {d}'],
  pin: ['Wrong PIN', 'PIN 错误'],
  open: ['“{d}”: open', '“{d}”：营业'],
  closed: ['“{d}”: closed', '“{d}”：休息'],
  number: ['Called {d} outside', '外呼 {d}'],
  silent: ['Trunk {d} does not answer', '中继 {d} 没有应答'],
  promptSpeak: ['Prompt “{d}”: somebody speaks', '提示音“{d}”：正在录制'],
  promptRecorded: ['Prompt “{d}”: a take was recorded', '提示音“{d}”：已录制一段'],
  promptKept: ['Prompt “{d}”: kept and in use', '提示音“{d}”：已保存并启用'],
});

/** Kinds of events; `{s}` is the subject. */
export const NOTE = texts({
  trunk_down: ['Trunk {s} is down', '中继 {s} 中断'],
  trunk_refuses: ['Trunk {s} refuses calls to outside', '中继 {s} 拒绝呼出通话'],
  trunk_up: ['Trunk {s} is up', '中继 {s} 恢复正常'],
  ban: ['{s} is banned', '{s} 被封禁'],
  guesses: ['Wrong passwords from {s}, where a phone is registered', '{s} 出现密码错误，该处有话机注册'],
  md5_refused: ['The phone of {s} proves its password with MD5 only, which is refused', '分机 {s} 的话机只支持 MD5 验证，已被拒绝'],
  other_name: ['A phone asked for “{s}”, which is no name of this box', '有话机请求“{s}”，这不是本设备的名称'],
  emergency_call: ['Emergency call from {s}', '{s} 拨打了紧急电话'],
  hot_desk: ['Who works at phone {s}', '话机 {s} 的登录人员'],
  queue_order: ['Callers of {s} were put in another order', '队列 {s} 的等待顺序被调整'],
  pause_over: ['{s} is away longer than allowed', '{s} 未就绪时间超限'],
  emergency_room: ['A call on trunk {s} made room for an emergency call', '中继 {s} 上的一路通话为紧急呼叫让路'],
  late_answer: ['Agent {s} answered after the offer had ended', '坐席 {s} 在振铃结束后才接听'],
  campaign_fault: ['The pace of campaign {s} failed; agents see entries before they are dialled', '外呼活动 {s} 的节奏模块故障，座席先看到条目再拨号'],
  campaign_form: ['Campaign {s} works in another form', '外呼活动 {s} 改变了工作方式'],
  media: ['Trouble in the sound process', '音频进程出现问题'],
  voicemail_listened: ['Somebody listened to a message of mailbox {s}', '有人收听了信箱 {s} 的留言'],
  supervision: ['A supervisor is in a call', '主管监听或介入通话'],
  media_restarted: ['The sound process was started again', '音频进程已重新启动'],
  backup_alarm: ['No recent backup', '没有近期备份'],
  backup_well: ['Backups are well again', '备份恢复正常'],
  budget_alarm: ['Minutes to outside are used up', '外线通话时长已用尽'],
  budget_near: ['Minutes to outside are nearly used up: {s}', '外线通话时长即将用尽：{s}'],
  budget_reset: ['Minutes to outside were given back: {s}', '外线通话时长已恢复：{s}'],
  budget_spent: ['Minutes to outside are used up: {s}', '外线通话时长已用尽：{s}'],
  budget_well: ['Minutes to outside are left again', '外线通话时长恢复可用'],
  certificate_alarm: ['The web certificate ends soon', '网页证书即将到期'],
  certificate_well: ['The web certificate is well again', '网页证书恢复正常'],
  clock_alarm: ['The clock is not set', '时钟未设置'],
  clock_well: ['The clock is set', '时钟已设置'],
  clock_jump_alarm: ['The clock was changed', '时钟被更改'],
  clock_jump_well: ['The clock is steady again', '时钟恢复稳定'],
  clock_sync_alarm: ['No time server can be reached', '无法连接时间服务器'],
  clock_sync_well: ['The time servers answer again', '时间服务器恢复正常'],
  capture_started: ['{s} began to capture SIP messages', '{s} 开始抓取 SIP 消息'],
  capture_taken: ['{s} took captured SIP messages away', '{s} 下载了抓取的 SIP 消息'],
  config_alarm: ['The newest settings cannot be used', '最新的设置无法使用'],
  config_newer: ['Settings that only a newer version knows are not in force; version {s} keeps them', '仅新版本支持的设置未生效；它们保存在版本 {s} 中'],
  config_well: ['The settings are in force again', '设置恢复生效'],
  database_damaged_alarm: ['A damaged database was set aside', '损坏的数据库已被移开'],
  database_damaged_well: ['The damaged database is gone', '损坏的数据库文件已删除'],
  disk_guard_alarm: ['Old recordings are deleted to make room', '正在删除旧录音以腾出空间'],
  disk_guard_well: ['There is room for recordings again', '录音空间恢复正常'],
  disk_room_alarm: ['The disk is nearly full', '磁盘空间不足'],
  disk_room_well: ['The disk has room again', '磁盘空间恢复正常'],
  disk_wear_alarm: ['The flash memory is nearly worn out', '闪存寿命将尽'],
  disk_wear_well: ['The flash memory is well', '闪存正常'],
  load_alarm: ['The processors have too much to do', '处理器负载过高'],
  load_well: ['The processors have time again', '处理器负载恢复正常'],
  memory_alarm: ['Memory is running out', '内存不足'],
  memory_well: ['There is memory again', '内存恢复正常'],
  phones_alarm: ['Several phones are lost', '多部话机失去注册'],
  phones_well: ['The phones are back', '话机恢复注册'],
  recovery_alarm: ['The data partition cannot be used', '数据分区不可用'],
  recovery_well: ['The data partition is well again', '数据分区恢复正常'],
  restarts_alarm: ['A part of the box was started again', '设备的一部分被重新启动'],
  restarts_well: ['All parts of the box run steadily', '设备各部分稳定运行'],
  temperature_alarm: ['The box is too hot', '设备温度过高'],
  temperature_well: ['The box has cooled down', '设备温度恢复正常'],
  update_alarm: ['An update was taken back', '更新已回退'],
  update_well: ['The update is well', '更新正常'],
  watchdog_alarm: ['The hardware watchdog is not armed', '硬件看门狗未启动'],
  watchdog_well: ['The hardware watchdog is armed again', '硬件看门狗恢复启动'],
  watchdog_reset_alarm: ['The box was restarted by its watchdog', '设备被看门狗重启'],
  watchdog_reset_well: ['The box runs steadily since', '此后设备稳定运行'],
  clock_found: ['The clock is right now; times of calls were corrected', '时钟已校准，通话时间已更正'],
  clock_unknown: ['The clock is empty or wrong', '时钟为空或有误'],
  network_taken_back: ['Network settings were not kept; the old ones are back', '网络设置未确认，已恢复原设置'],
  update: ['The system of the box', '设备系统'],
  disk_failed: ['The disk does not write', '磁盘无法写入'],
  disk_ok: ['The disk writes again', '磁盘恢复写入'],
  disk_filling: ['The disk fills up', '磁盘即将写满'],
  disk_room: ['The disk has room again', '磁盘空间恢复'],
  disk_full: ['The disk is full, and no recording may go', '磁盘已满，且没有可删除的录音'],
  recordings_deleted: ['The disk was full: the oldest recordings were deleted', '磁盘已满：最早的录音已删除'],
  recordings_old: ['Old recordings were deleted', '过期录音已删除'],
  backup_good: ['The site was saved and proved', '站点已备份并通过验证'],
  backup_failed: ['The site could not be saved', '站点备份失败'],
  fault: ['A fault in the box ended a call', '设备故障导致一路通话结束'],
  circle: ['A step did not settle and was dropped', '某一步骤未能完成，已放弃'],
});

export const LEVEL = texts({
  info: ['Info', '信息'],
  warning: ['Warning', '警告'],
  alarm: ['Alarm', '告警'],
});

/** Causes of an agent's state, of a call's end and of other steps, which the box writes in a few English words. */
const CAUSES: Record<string, string> = {
  'another agent answered': '其他坐席已接听',
  'call ended': '通话结束',
  'calls back': '正在回电',
  'campaign call': '外呼活动来电',
  'customer not reached': '未联系到客户',
  'customer reached': '已联系到客户',
  declined: '已拒接',
  'no answer': '无应答',
  'no result of the offer': '振铃无结果',
  'phone busy': '话机忙',
  'phone unreachable': '话机无法联系',
  "the caller's place was given to another": '来电者的位置已让给他人',
  'too old': '已过期',
  'will be called back': '等待回电',
  'wrap code said': '已记录主题',
  'wrap-up done code': '话后处理结束码',
  'wrap-up time over': '话后处理时间到',
  'agent code from outside': '外部拨打坐席代码',
  'agent code': '坐席代码',
  'agent removed': '坐席已删除',
  'always on': '始终在线',
  'answer was never confirmed': '应答未被确认',
  answered: '已接听',
  'box at its limit': '设备已达上限',
  'box restarted': '设备重启',
  'called party hung up': '被叫挂机',
  'caller hung up': '主叫挂机',
  'code done': '服务完成',
  'emergency notice heard': '紧急通知已收听',
  'end of the flow': '语音菜单结束',
  'end of voicemail': '语音信箱结束',
  'ended by hand': '手动结束',
  'fault in the box': '设备故障',
  'goes in circles': '步骤循环',
  'hung up by rule': '按规则挂断',
  'login code': '登录码',
  'logout code': '退出码',
  'longest call time reached': '已达最长通话时间',
  'made room for an emergency call': '为紧急呼叫让路',
  'malformed request': '请求格式错误',
  'media restarted': '音频进程重启',
  'message left': '已留言',
  'no agent logged in': '没有坐席登录',
  'no inbound rule for the number': '该号码没有呼入规则',
  'no mailbox': '没有语音信箱',
  'no outbound rule for the number': '该号码没有外呼规则',
  'no paging output': '没有广播输出',
  'nothing was said': '没有讲话',
  'prompt kept': '提示音已保存',
  'prompt not kept': '提示音未保存',
  'prompt not kept in time': '提示音未能及时保存',
  'no phone registered': '没有话机注册',
  'no sound from both parties': '双方均无声音',
  'no sound with the caller possible': '无法与主叫建立音频',
  'handed over while it rang': '振铃时已转接',
  'its place was given to another': '其位置已让给被转接方',
  'no such flow': '语音菜单不存在',
  'no such mailbox': '语音信箱不存在',
  'no such number': '号码不存在',
  'no sign of life from the other side': '对方长时间无响应',
  'no such queue': '队列不存在',
  'no trunk took the call': '没有中继接受此呼叫',
  'nobody answered': '无人接听',
  'nobody to call': '无可呼叫的话机',
  'other side lost': '与对方失去联系',
  'own phone not answered': '本人话机未接听',
  'pause code': '暂停码',
  'queue full': '队列已满',
  'queue removed': '队列已删除',
  'ready code': '就绪码',
  'request makes no sense now': '当前状态下无法执行',
  'rights do not allow the number': '权限不允许拨打此号码',
  'sent on in a circle': '循环转接',
  start: '启动',
  'the queue is gone': '队列已不存在',
  'time limit reached': '已达时长上限',
  'too many hops': '转接次数过多',
  'too short': '过短',
  'waited too long': '等待过久',
  'wrong pin': '密码错误',
};

/** Such a cause in the language in use; unknown ones stay as the box wrote them. */
export function causeText(cause: string): string {
  const by = /^web by (.+)$/.exec(cause);
  if (by) return lang() === 'en' ? `set by ${by[1]}` : `由 ${by[1]} 设置`;
  if (lang() === 'en') return cause;
  const missed = /^missed (\d+) offers?$/.exec(cause);
  if (missed) return `漏接 ${missed[1]} 次来电`;
  const queue = /^call of queue (.+)$/.exec(cause);
  if (queue) return `队列“${queue[1]}”来电`;
  const more = /^wrap-up extended by (\d+) s$/.exec(cause);
  if (more) return `话后处理延长 ${more[1]} 秒`;
  const code = /^wrap code (.+)$/.exec(cause);
  if (code && code[1] !== 'said') return `通话主题 ${code[1]}`;
  const joined = /^(put together with|listens to) call (\d+)$/.exec(cause);
  if (joined) return joined[1] === 'listens to' ? `监听通话 ${joined[2]}` : `与通话 ${joined[2]} 合并`;
  return CAUSES[cause] ?? cause;
}
