//! The board's software face: watchdog, LEDs, button, sound card.
