# Rails' MessageVerifier, by Rails itself: Debian's ruby-activesupport. Run like the Python drivers.

require "active_support"
require "active_support/core_ext/time"
require "active_support/core_ext/numeric/time"
require "active_support/json"
require "active_support/message_verifier"
require "active_support/message_encryptor"
require "active_support/key_generator"
require "json"
require "optparse"

ActiveSupport.use_standard_json_time_format = true

SCRIPTS = ["abcXYZ019", " \t", "éèüßñ", "ЖДЯщ", "αβγΩ", "עברית", "العربية", "हिन्दी", "日本語漢字", "한국어", "😀𝒳", ":.-_=/+~*",
           "\"\\'`{}[]<>&;,", "\u0000\u0001\u001f\u007f", "\u2028\u2029", "\r\n", "--"].map(&:chars).freeze

# A line's clock is its `now`.
class << Time
  alias_method :real_now, :now
  def now = $now ? at($now) : real_now
end

def text(random, longest = 40)
  kind = random.rand
  return "" if kind < 0.08
  length = kind > 0.99 ? random.rand(2_000..20_000) : random.rand(1..longest)
  scripts = kind < 0.4 ? SCRIPTS : [SCRIPTS.sample(random: random)]
  Array.new(length) { scripts.sample(random: random).sample(random: random) }.join
end

def key(random)
  made = text(random, [20, 60, 300].sample(random: random))
  made.empty? ? "k" : made
end

def tree(random, depth = 4)
  case random.rand(depth.positive? ? 9 : 6)
  when 0 then nil
  when 1 then random.rand < 0.5
  when 2 then [0, -1, 2**53 + 1, 2**64, 10**40, 0.5, 1e22, 1e-7, 5e-324, random.rand].sample(random: random)
  when 3, 4, 5 then text(random)
  when 6, 7 then Array.new(random.rand(5)) { tree(random, depth - 1) }
  # An object that is an envelope would be read as one.
  else Array.new(random.rand(6)) { ["x#{text(random, 12)}", tree(random, depth - 1)] }.to_h
  end
end

def make(random)
  line = {
    format: "rails", keys: Array.new([1, 1, 2, 3].sample(random: random)) { key(random) },
    now: random.rand(0..4_000_000_000), algorithm: %w[SHA1 SHA256 SHA384 SHA512].sample(random: random)
  }
  line[:purpose] = text(random).then { |made| made.empty? ? "p" : made } if random.rand < 0.4
  line[:expires_in] = random.rand(1..10_000_000) if random.rand < 0.4
  line.update(salt: text(random, 12), key_digest: "SHA1") if random.rand < 0.1
  return line.merge(op: "dumps", value: tree(random)) if random.rand < 0.5
  line.merge(op: "sign", value: text(random).then { |made| made.empty? ? "v" : made })
end

# What the serialiser was handed, so that `null` and `false` can be told from a refusal.
class Seen
  attr_reader :value, :called

  def initialize(serializer)
    @serializer = serializer
    @called = false
  end

  def dump(value) = @serializer.dump(value)

  def load(text)
    @called = true
    @value = @serializer.load(text)
    true
  end
end

# Strict JSON of any depth. The tests' trees have no `nil` as a whole that Ruby would read of nothing.
module StrictJson
  def self.dump(value) = JSON.generate(value, max_nesting: false)
  def self.load(text) = JSON.parse(text, max_nesting: false)
end

class Refused < StandardError; end

def answer(line)
  $now = line["now"]
  secrets = line["keys"]
  secrets = secrets.map { |key| ActiveSupport::KeyGenerator.new(key, iterations: 1000).generate_key(line["salt"], 64) } if line["salt"]
  serializer = %w[sign unsign].include?(line["op"]) ? ActiveSupport::MessageEncryptor::NullSerializer : StrictJson
  options = { digest: line["algorithm"] || "SHA1" }
  about = { purpose: line["purpose"] }.compact
  if %w[sign dumps].include?(line["op"])
    verifier = ActiveSupport::MessageVerifier.new(secrets[0], serializer: serializer, **options)
    return verifier.generate(line["value"], **about, **{ expires_in: line["expires_in"] }.compact)
  end
  secrets.each do |secret|
    seen = Seen.new(serializer)
    ActiveSupport::MessageVerifier.new(secret, serializer: seen, **options).verified(line["value"], **about)
    return seen.value if seen.called
  end
  raise Refused
end

count, seed, answering = 0, "1", false
OptionParser.new do |parser|
  parser.on("--count N", Integer) { |given| count = given }
  parser.on("--seed S") { |given| seed = given }
  parser.on("--answer") { answering = true }
end.parse!
if answering
  $stdin.each_line do |text|
    line = JSON.parse(text, max_nesting: false)
    done = begin
      { value: answer(line) }
    rescue StandardError => error
      { rejected: error.class.name }
    end
    puts JSON.generate({ id: line["id"], **done }, max_nesting: false)
  end
else
  count.times do |index|
    random = Random.new(seed.to_s.sum * 1_000_003 + index)
    puts JSON.generate({ id: index, **make(random) }, max_nesting: false)
  end
end
