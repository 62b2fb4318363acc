# Rails' MessageVerifier, by Rails itself: Debian's ruby-activesupport 6.1.7.10. `run.py` runs no Ruby, so this one is
# run by itself, with the same arguments:
#
#     ruby interop/drivers/rails-message-verifier.rb --count 300 --seed 1 | countersign verify --jsonl
#     ruby interop/drivers/rails-message-verifier.rb --fixed > vectors/rails-message-verifier/sdk.jsonl
#     … | countersign sign --jsonl | ruby interop/drivers/rails-message-verifier.rb --verify

require "active_support"
require "active_support/message_verifier"
require "cgi"
require "json"
require "optparse"

SDK = "ruby-activesupport 6.1.7.10"
DIGESTS = %w[SHA1 SHA1 SHA256 SHA512].freeze
ODD = ["", "a", "a b", "é", "日本", "😀", "--", "+/=", "\n", "\u0000", "a\\\"b", "%20", "<&>"].freeze

def token(secret, digest, value)
  ActiveSupport::MessageVerifier.new(secret, digest: digest, serializer: JSON).generate(value)
end

def line(secret, digest, token)
  {
    method: "GET", url: "https://example.com/unsubscribe?list=1&token=#{CGI.escape(token)}", headers: [],
    secret: secret, alg: "hmac-#{digest.downcase}", now: 1_714_566_896
  }
end

def value(random, depth = 2)
  case random.rand(depth.positive? ? 6 : 4)
  when 0 then random.rand(10**12)
  when 1 then [true, false, nil].sample(random: random)
  when 2, 3 then Array.new(random.rand(1..4)) { ODD.sample(random: random) }.join
  when 4 then Array.new(random.rand(4)) { value(random, depth - 1) }
  else Array.new(random.rand(4)) { [ODD.sample(random: random), value(random, depth - 1)] }.to_h
  end
end

def signed(index, seed)
  random = Random.new(seed * 1_000_000 + index)
  secret = Array.new(24) { random.rand(33..126).chr }.join
  digest = DIGESTS.sample(random: random)
  { id: "rails-message-verifier/#{seed}/#{index}", scheme: "rails-message-verifier", **line(secret, digest, token(secret, digest, value(random))) }
end

def fixed
  secret = "s3Krit"
  [["hash", "SHA1", { "user" => 1 }], ["text", "SHA1", "Zoë ’ +/="], ["sha256", "SHA256", [1, 2, nil, true]]].map do |id, digest, object|
    {
      id: "rails-#{id}", source: "#{SDK}, MessageVerifier#generate", expect: "verified", covered: ["query.token", "secret"],
      open: ["method", "scheme", "host", "path", "query", "query.list", "body", "header.user-agent"],
      **line(secret, digest, token(secret, digest, object))
    }
  end
end

# Whether Rails takes a token that was signed here, and reads the value that went into it.
def accepted(line)
  digest = line.fetch("alg", "hmac-sha1").delete_prefix("hmac-").upcase
  token = CGI.parse(line["url"].split("?", 2)[1])["token"][0]
  !ActiveSupport::MessageVerifier.new(line["secret"], digest: digest, serializer: JSON).verified(token).nil?
end

options = { count: 10, seed: 1 }
OptionParser.new do |parser|
  parser.on("--count N", Integer) { |count| options[:count] = count }
  parser.on("--seed N", Integer) { |seed| options[:seed] = seed }
  parser.on("--fixed") { options[:fixed] = true }
  parser.on("--verify") { options[:verify] = true }
end.parse!

if options[:verify]
  $stdin.each_line { |text| (line = JSON.parse(text)) && puts(JSON.generate(id: line["id"], accepted: accepted(line))) }
else
  lines = options[:fixed] ? fixed : Array.new(options[:count]) { |index| signed(index, options[:seed]) }
  lines.each { |made| puts JSON.generate(made) }
end
