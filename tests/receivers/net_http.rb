# Sends one hook as GitLab does: the headers that it makes, in its order, through Ruby's Net::HTTP, used as the HTTParty of
# GitLab uses it. What the hook is comes as JSON on the standard input. tests/it/net_http.rs compares the bytes.

require "json"
require "net/http"
require "uri"

hook = JSON.parse($stdin.read)

own = {
  "Content-Type" => "application/json",
  "User-Agent" => hook.fetch("user_agent"),
  "Idempotency-Key" => hook.fetch("key"),
  "X-Gitlab-Event" => hook.fetch("event"),
  "X-Gitlab-Webhook-UUID" => hook.fetch("webhook_uuid"),
  "X-Gitlab-Instance" => hook.fetch("instance"),
}
own["X-Gitlab-Token"] = hook["token"].delete("\r\n") if hook["token"]
own["X-Gitlab-Event-UUID"] = hook.fetch("event_uuid")
# GitLab 19. No source shows where among the others they stand.
own["webhook-id"] = hook.fetch("key")
own["webhook-timestamp"] = hook.fetch("timestamp")

url = URI.parse(hook.fetch("url"))
user, password = url.user, url.password
url.userinfo = nil
url = url.normalize

# A custom header lies beneath one of the delivery.
request = Net::HTTP::Post.new(url.request_uri, hook.fetch("custom").merge(own))
request.body = hook.fetch("body")
if user
  request.basic_auth(URI.decode_www_form_component(user), URI.decode_www_form_component(password || ""))
end

# Without a proxy, whatever the environment says.
Net::HTTP.new(url.hostname, url.port, nil).request(request)
