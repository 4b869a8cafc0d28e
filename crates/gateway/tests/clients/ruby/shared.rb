require 'json'

BASE, KEY, UNKNOWN, BROKEN = ENV.values_at('BASE', 'KEY', 'UNKNOWN', 'BROKEN')

# Returns the text of the error that the block raises.
def shown
  value = yield
rescue StandardError => e
  "#{e.class}: #{e.message}"
else
  abort "no error, but #{value.inspect}"
end

def report(said)
  puts JSON.generate(said)
end
