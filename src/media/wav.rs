//! WAV files: the header of our recordings, and reading the sound files people upload. Recordings are G.711 µ-law
//! (format 7), 8 kHz, one or two interleaved channels. The header is always 58 octets: sizes stand at octets 4 (RIFF),
//! 46 (samples per channel) and 54 (data), little-endian, so that a file cut off by a crash is repaired from its length.
use crate::{codec, resample};
use model::sentence::Sentence;

/// Octets before the sound.
pub const HEADER: usize = 58;

/// Longest file read as a sound, octets: half an hour of G.711 (PCM at 8 kHz: a quarter).
pub const MAX_FILE: usize = 16 * 1024 * 1024;

/// The header of a recording with `data` octets of sound, an even number. `channels` is 1 or 2.
#[must_use]
pub fn header(channels: u8, data: u64) -> Vec<u8> {
    let data = u32::try_from(data).unwrap_or(u32::MAX - 64);
    let channels = u16::from(channels.max(1));
    let mut h = Vec::with_capacity(HEADER);
    h.extend_from_slice(b"RIFF");
    h.extend_from_slice(&(data + 50).to_le_bytes());
    h.extend_from_slice(b"WAVEfmt ");
    h.extend_from_slice(&18u32.to_le_bytes());
    h.extend_from_slice(&7u16.to_le_bytes());
    h.extend_from_slice(&channels.to_le_bytes());
    h.extend_from_slice(&8000u32.to_le_bytes());
    h.extend_from_slice(&(8000 * u32::from(channels)).to_le_bytes());
    h.extend_from_slice(&channels.to_le_bytes());
    h.extend_from_slice(&8u16.to_le_bytes());
    h.extend_from_slice(&0u16.to_le_bytes());
    h.extend_from_slice(b"fact");
    h.extend_from_slice(&4u32.to_le_bytes());
    h.extend_from_slice(&(data / u32::from(channels)).to_le_bytes());
    h.extend_from_slice(b"data");
    h.extend_from_slice(&data.to_le_bytes());
    h
}

/// Sound of a WAV file as µ-law of one channel; several channels are averaged. Understood: µ-law, A-law or 16-bit
/// PCM, 8 to 48 kHz (brought to 8), any number of channels up to 8. A file that does not start with `RIFF` is taken as raw µ-law. Sizes in
/// the header may be wrong (a recording cut off by a crash): the sound then goes to the end of the file.
///
/// # Errors
/// A sentence saying what the file is and what would be accepted.
pub fn decode(file: &[u8]) -> Result<Vec<u8>, Sentence> {
    if file.len() > MAX_FILE {
        let octets = file.len();
        return Err(Sentence::new(
            format!("The sound file has {octets} octets; at most {MAX_FILE} are read."),
            format!("声音文件有 {octets} 字节，最多读取 {MAX_FILE} 字节。"),
        ));
    }
    if !file.starts_with(b"RIFF") {
        return Ok(file.to_vec());
    }
    if file.get(8..12) != Some(b"WAVE") {
        return Err(Sentence::new(
            "The file starts with RIFF but is not a WAV file; save it as WAV.",
            "文件以 RIFF 开头，但不是 WAV 文件；请另存为 WAV。",
        ));
    }
    let mut format = None;
    let mut at = 12usize;
    // A file has at most as many chunks as eighths of its length; each turn moves on by 8 or more.
    while let Some(head) = file.get(at..at + 8) {
        let size = u32_at(head, 4) as usize;
        let body = at + 8;
        let end = body.saturating_add(size).min(file.len());
        let chunk = file.get(body..end).unwrap_or_default();
        if head.starts_with(b"fmt ") {
            format = Some(Format::read(chunk)?);
        } else if head.starts_with(b"data") {
            let format = format.ok_or_else(|| {
                Sentence::new(
                    "The WAV file has its sound before its format; save it anew.",
                    "WAV 文件的声音数据位于格式信息之前；请重新保存。",
                )
            })?;
            let chunk = if size == 0 { file.get(body..).unwrap_or_default() } else { chunk };
            return Ok(format.to_ulaw(chunk));
        }
        at = body.saturating_add(size).saturating_add(size % 2);
    }
    Err(Sentence::new("The WAV file has no sound in it.", "WAV 文件中没有声音。"))
}

/// A whole recording file of one channel from µ-law.
#[must_use]
pub fn file(sound: &[u8]) -> Vec<u8> {
    let even = sound.len() + sound.len() % 2;
    let mut file = header(1, u64::try_from(even).unwrap_or(u64::MAX));
    file.extend_from_slice(sound);
    // Silence.
    file.resize(HEADER + even, 0xff);
    file
}

struct Format {
    tag: u16,
    rate: u32,
    channels: usize,
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Format, Sentence> {
        if chunk.len() < 16 {
            return Err(Sentence::new(
                "The WAV file's format is cut off; save it anew.",
                "WAV 文件的格式信息不完整；请重新保存。",
            ));
        }
        let (tag, channels, rate, bits) =
            (u16_at(chunk, 0), u16_at(chunk, 2), u32_at(chunk, 4), u16_at(chunk, 14));
        if !(8000..=48_000).contains(&rate) {
            return Err(Sentence::new(
                format!("The WAV file has {rate} samples a second; save it with 8000 to 48000."),
                format!("WAV 文件的采样率为每秒 {rate} 次；请以 8000 到 48000 保存。"),
            ));
        }
        if !(1..=8).contains(&channels) {
            return Err(Sentence::new(
                format!("The WAV file has {channels} channels; save it with one."),
                format!("WAV 文件有 {channels} 个声道；请保存为单声道。"),
            ));
        }
        match (tag, bits) {
            (1, 16) | (6 | 7, 8) => Ok(Format { tag, rate, channels: usize::from(channels) }),
            (tag, bits) => Err(Sentence::new(
                format!(
                    "The WAV file has format {tag} with {bits} bits; save it as PCM 16 bit, A-law or µ-law."
                ),
                format!("WAV 文件的格式为 {tag}，{bits} 位；请保存为 PCM 16 位、A-law 或 µ-law。"),
            )),
        }
    }

    fn to_ulaw(&self, data: &[u8]) -> Vec<u8> {
        let width = if self.tag == 1 { 2 } else { 1 };
        if self.tag == 7 && self.channels == 1 && self.rate == 8000 {
            return data.to_vec();
        }
        let frames = data.chunks_exact(width * self.channels).map(|frame| self.mix(frame, width));
        if self.rate == 8000 {
            return frames.map(codec::linear_to_ulaw).collect();
        }
        let sound: Vec<i16> = frames.collect();
        resample::to_8000(&sound, self.rate).into_iter().map(codec::linear_to_ulaw).collect()
    }

    fn mix(&self, frame: &[u8], width: usize) -> i16 {
        let sum: i32 = frame.chunks_exact(width).map(|s| i32::from(self.linear(s))).sum();
        let count = i32::try_from(self.channels).unwrap_or(1).max(1);
        i16::try_from(sum / count).unwrap_or(0)
    }

    fn linear(&self, sample: &[u8]) -> i16 {
        match sample {
            [low, high] => i16::from_le_bytes([*low, *high]),
            [code] if self.tag == 6 => codec::alaw_to_linear(*code),
            [code] => codec::ulaw_to_linear(*code),
            _ => 0,
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcm(channels: u16, rate: u32, bits: u16, tag: u16, data: &[u8]) -> Vec<u8> {
        let mut f = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
        f.extend_from_slice(&16u32.to_le_bytes());
        f.extend_from_slice(&tag.to_le_bytes());
        f.extend_from_slice(&channels.to_le_bytes());
        f.extend_from_slice(&rate.to_le_bytes());
        f.extend_from_slice(&[0; 6]);
        f.extend_from_slice(&bits.to_le_bytes());
        f.extend_from_slice(b"LIST\x03\0\0\0abc\0data");
        f.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
        f.extend_from_slice(data);
        f
    }

    #[test]
    fn the_header_has_its_sizes_where_the_repair_looks() {
        let h = header(2, 1000);
        assert_eq!(h.len(), HEADER);
        assert_eq!((u32_at(&h, 4), u32_at(&h, 46), u32_at(&h, 54)), (1050, 500, 1000));
        assert_eq!((u16_at(&h, 20), u16_at(&h, 22), u32_at(&h, 24)), (7, 2, 8000));
    }

    #[test]
    fn our_own_recordings_read_back() {
        let mut file = header(1, 4);
        file.extend_from_slice(&[1, 2, 3, 4]);
        assert_eq!(decode(&file).unwrap(), [1, 2, 3, 4]);
        let mut unfinished = header(1, 0);
        unfinished.extend_from_slice(&[1, 2, 3]);
        assert_eq!(decode(&unfinished).unwrap(), [1, 2, 3], "sizes of zero: to the end of the file");
    }

    #[test]
    fn pcm_stereo_is_averaged() {
        let data: Vec<u8> = [1000i16, 3000, -500, -1500].iter().flat_map(|s| s.to_le_bytes()).collect();
        let sound = decode(&pcm(2, 8000, 16, 1, &data)).unwrap();
        assert_eq!(sound, [codec::linear_to_ulaw(2000), codec::linear_to_ulaw(-1000)]);
    }

    #[test]
    fn alaw_and_raw_files_are_understood() {
        assert_eq!(decode(&pcm(1, 8000, 8, 6, &[codec::SILENCE_A])).unwrap().len(), 1);
        assert_eq!(decode(b"\xFF\xFF").unwrap(), [0xFF, 0xFF]);
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_the_remedy() {
        let rate = decode(&pcm(1, 96_000, 16, 1, &[0, 0])).unwrap_err();
        assert!([&rate.en, &rate.zh].iter().all(|s| s.contains("96000") && s.contains("8000")), "{rate:?}");
        let bits = decode(&pcm(1, 8000, 24, 1, &[0, 0, 0])).unwrap_err();
        assert!(bits.en.contains("16 bit") && bits.zh.contains("16 位"), "{bits:?}");
        assert!(decode(b"RIFF\0\0\0\0WAVE").is_err());
        assert!(decode(b"RIFF\0\0\0\0AVI LIST").is_err());
        assert!(decode(b"RIFF\0\0\0\0WAVEdata\x01\0\0\0a").is_err());
    }
}
