#include "app/write_out.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

TransferReport example() {
  TransferReport report;
  report.url = "localhost:4433/a";
  report.url_effective = "https://localhost:4433/b";
  report.method = "GET";
  report.status = 200;
  report.fields = {{"content-type", "text/plain"}, {"set-cookie", "a"}, {"date", "x \"y\""}, {"set-cookie", "b"}};
  report.connected = true;
  report.connects = 1;
  report.redirects = 2;
  report.local = *SocketAddress::parse("127.0.0.1:50000");
  report.remote = *SocketAddress::parse("[::1]:4433");
  report.size_download = 1'000'000;
  report.name_lookup = Duration::microseconds(12);
  report.connect = Duration::milliseconds(3);
  report.start_transfer = Duration::microseconds(1'234'567);
  report.total = Duration::seconds(2);
  return report;
}

std::string text_of(std::string_view format, const TransferReport& report = example()) {
  return write_out(format, report).standard_output;
}

}  // namespace

TEST_SUITE("app/write_out") {
  TEST_CASE("variables have curl's names and curl's forms") {
    CHECK_EQ(text_of("%{http_code} %{response_code} %{http_version} %{method}"), "200 200 3 GET");
    CHECK_EQ(text_of("%{time_namelookup} %{time_connect} %{time_appconnect} %{time_starttransfer} %{time_total}"),
             "0.000012 0.003000 0.003000 1.234567 2.000000");
    CHECK_EQ(text_of("%{size_download} %{size_upload} %{speed_download}"), "1000000 0 500000");
    CHECK_EQ(text_of("%{num_connects} %{num_redirects} %{num_headers}"), "1 2 4");
    CHECK_EQ(text_of("%{remote_ip} %{remote_port} %{local_ip} %{local_port}"), "::1 4433 127.0.0.1 50000");
    CHECK_EQ(text_of("%{url} %{url_effective} %{redirect_url}|%{content_type}|%{scheme}"),
             "localhost:4433/a https://localhost:4433/b |text/plain|HTTPS");
    CHECK_EQ(text_of("%{exitcode} %{errormsg}%{filename_effective}%{urlnum}"), "0 0");
  }

  TEST_CASE("a transfer without a response has three zeros for a status, and no addresses") {
    TransferReport report;
    report.exit_code = 7;
    report.error_message = "nobody answers";
    CHECK_EQ(
        text_of("%{http_code} %{http_connect} %{http_version} [%{remote_ip}] %{remote_port} %{exitcode} %{errormsg}",
                report),
        "000 000 0 [] 0 7 nobody answers");
    CHECK_EQ(text_of("%{speed_download} %{time_total}", report), "0 0.000000");
  }

  TEST_CASE("escapes and percent signs are those of curl") {
    CHECK_EQ(text_of("a\\nb\\tc\\rd"), "a\nb\tc\rd");
    CHECK_EQ(text_of("100%% \\q %x %"), "100% \\q %x %");
    CHECK_EQ(text_of("\\"), "\\");
    CHECK_EQ(text_of("%{http_code"), "%{http_code");
    CHECK_EQ(text_of("%header{date"), "%header{date");
    CHECK_EQ(text_of(""), "");
  }

  TEST_CASE("fields of the response are found by name, whatever its case") {
    CHECK_EQ(text_of("%header{Content-Type},%header{set-cookie},%header{none}."), "text/plain,a,.");
  }

  TEST_CASE("stderr and stdout switch, and onerror ends what is for failures alone") {
    WrittenOut out = write_out("a%{stderr}b%{stdout}c%{onerror}d", example());
    CHECK_EQ(out.standard_output, "ac");
    CHECK_EQ(out.standard_error, "b");
    TransferReport failed = example();
    failed.exit_code = 22;
    CHECK_EQ(text_of("c%{onerror}d", failed), "cd");
  }

  TEST_CASE("an unknown variable is told and prints nothing") {
    const WrittenOut out = write_out("[%{nonsense}]", example());
    CHECK_EQ(out.standard_output, "[]");
    CHECK(out.unknown == std::vector<std::string>{"nonsense"});
  }

  TEST_CASE("json is an object of all variables, with null where there is nothing") {
    TransferReport report = example();
    report.error_message = "a \"quote\" and a \n line";
    const auto json = nlohmann::json::parse(text_of("%{json}", report));
    CHECK_EQ(json["http_code"], 200);
    CHECK_EQ(json["time_total"], 2.0);
    CHECK_EQ(json["errormsg"], report.error_message);
    CHECK(json["redirect_url"].is_null());
    CHECK_EQ(json["remote_ip"], "::1");
    for (const std::string_view name : write_out_variables()) {
      if (name == "json" || name == "header_json" || name == "onerror" || name == "stdout" || name == "stderr")
        continue;
      CHECK_MESSAGE(json.contains(name), name);
    }
    const auto fields = nlohmann::json::parse(text_of("%{header_json}", report));
    CHECK_EQ(fields["set-cookie"], nlohmann::json({"a", "b"}));
    CHECK_EQ(fields["date"][0], "x \"y\"");
    CHECK_EQ(text_of("%{header_json}", TransferReport()), "{\n}");
  }
}

}  // namespace quoll::app
