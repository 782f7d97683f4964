#include "web/exchange.h"

namespace quoll::web {

void Exchange::send(unsigned status, const http::FieldSection& fields, std::string_view text) {
  send(status, fields, text_body(std::string(text)));
}

void Exchange::send(unsigned status) { send(status, {}, std::unique_ptr<BodySource>()); }

}  // namespace quoll::web
