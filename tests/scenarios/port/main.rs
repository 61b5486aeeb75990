//! `porchlight port`: a router opens a port, keeps it open and closes it, whatever it speaks and however it misbehaves. Most are
//! emulated on loopback; `lan` and `lan_v6` have a real one, in networks of their own.

mod kept;
mod lan;
mod lan_v6;
mod odd;
mod opened;
mod refused;
mod several;
mod tunnel;
mod whose;
mod world;
