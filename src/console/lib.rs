//! The technician's serial menu. 80x24, safe with garbage input.
