//! What a release consists of, made here as its workflow makes it, and each of it installed: the tarball by hand and by
//! the install script, the Debian package into a tree, and on a machine that has booted.

mod booted;
mod debian;
mod installer;
mod one_service;
mod tarball;
