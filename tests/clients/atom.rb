# Validates a feed by Ruby's own library, which knows what RFC 4287 requires and allows: `atom.rb FILE` prints how many entries it
# has, or ends with the first fault.
require "rss"

VALIDATE = true
IGNORE_UNKNOWN_ELEMENTS = false

feed = RSS::Parser.parse(File.read(ARGV.fetch(0), encoding: "UTF-8"), VALIDATE, IGNORE_UNKNOWN_ELEMENTS)
abort "this is no feed of Atom 1.0: #{feed.class}" unless feed.is_a?(RSS::Atom::Feed)
puts feed.entries.size
