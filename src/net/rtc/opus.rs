//! Opus (RFC 6716) at 8 kHz, one channel, by the system's libopus: the only unsafe code of the browser sessions, behind two
//! types that own what the library gave. Both sides of a browser's stream are resampled inside the library.
use opusic_sys as sys;
use std::ptr::NonNull;

/// What is spoken inside the box.
const RATE: i32 = 8000;
/// Of 10: half the CPU of the library's own choice (9), no difference to be heard at this rate.
const COMPLEXITY: i32 = 5;
/// Share of packets expected to be lost, per cent: makes the encoder repeat what matters in the next packet.
const LOSS: i32 = 5;
/// Longest packet taken, 120 ms, in samples.
pub(super) const SAMPLES_MAX: usize = 960;
/// Largest packet written: the library's advice is 4,000; speech at 8 kHz stays below 100.
const PACKET_MAX: usize = 400;

/// Makes packets.
pub(super) struct Encoder(NonNull<sys::OpusEncoder>);

/// Reads packets.
pub(super) struct Decoder(NonNull<sys::OpusDecoder>);

// SAFETY: the library's objects hold plain memory and no tie to a thread; each is used by its owner only.
unsafe impl Send for Encoder {}
// SAFETY: as above.
unsafe impl Send for Decoder {}

impl Encoder {
    /// A new one; none when there is no memory.
    pub fn new() -> Option<Encoder> {
        let mut error = 0;
        // SAFETY: the arguments are values the library documents; it checks them and writes only to `error`.
        let made = unsafe { sys::opus_encoder_create(RATE, 1, sys::OPUS_APPLICATION_VOIP, &raw mut error) };
        let encoder = Encoder(NonNull::new(made).filter(|_| error == sys::OPUS_OK)?);
        for (request, value) in [
            (sys::OPUS_SET_COMPLEXITY_REQUEST, COMPLEXITY),
            (sys::OPUS_SET_INBAND_FEC_REQUEST, 1),
            (sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, LOSS),
        ] {
            // SAFETY: the encoder lives; each of these requests takes one int by value.
            unsafe { sys::opus_encoder_ctl(encoder.0.as_ptr(), request, value) };
        }
        Some(encoder)
    }

    /// A frame of 20 ms as a packet; none when the library refuses it.
    pub fn encode(&mut self, frame: &[i16; 160]) -> Option<Vec<u8>> {
        let mut packet = vec![0; PACKET_MAX];
        let room = i32::try_from(packet.len()).ok()?;
        // SAFETY: `frame` holds the 160 samples that are announced, `packet` the `room` octets that may be written.
        let written =
            unsafe { sys::opus_encode(self.0.as_ptr(), frame.as_ptr(), 160, packet.as_mut_ptr(), room) };
        packet.truncate(usize::try_from(written).ok()?);
        Some(packet)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by the library, given back once.
        unsafe { sys::opus_encoder_destroy(self.0.as_ptr()) };
    }
}

impl Decoder {
    /// A new one; none when there is no memory.
    pub fn new() -> Option<Decoder> {
        let mut error = 0;
        // SAFETY: as for the encoder.
        let made = unsafe { sys::opus_decoder_create(RATE, 1, &raw mut error) };
        Some(Decoder(NonNull::new(made).filter(|_| error == sys::OPUS_OK)?))
    }

    /// The samples of a packet; none when it is no Opus.
    pub fn decode(&mut self, packet: &[u8]) -> Option<Vec<i16>> {
        let mut sound = vec![0; SAMPLES_MAX];
        let (length, room) = (i32::try_from(packet.len()).ok()?, i32::try_from(sound.len()).ok()?);
        // SAFETY: `packet` holds `length` octets, `sound` room for the `room` samples that may be written.
        let read = unsafe {
            sys::opus_decode(self.0.as_ptr(), packet.as_ptr(), length, sound.as_mut_ptr(), room, 0)
        };
        sound.truncate(usize::try_from(read).ok()?);
        Some(sound)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by the library, given back once.
        unsafe { sys::opus_decoder_destroy(self.0.as_ptr()) };
    }
}
