import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import tech.kwik.agent15.TlsConstants.CipherSuite;
import tech.kwik.core.QuicClientConnection;
import tech.kwik.core.QuicClientConnection.StreamEarlyData;
import tech.kwik.core.QuicConnection.QuicVersion;
import tech.kwik.core.QuicSessionTicket;
import tech.kwik.core.QuicStream;
import tech.kwik.core.impl.QuicClientConnectionImpl;
import tech.kwik.flupke.Http3SingleConnectionClient;

/** The client: fetches REQUESTS into /downloads with HTTP/0.9 or HTTP/3, as TESTCASE says. */
public final class Client {
  private static final Path DOWNLOADS = Path.of("/downloads");
  private static final Set<String> CASES =
      Set.of("handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "keyupdate", "multiconnect", "v2");

  // The streams of the library block their readers, so each file in flight takes a thread.
  private static final int MAX_THREADS = 100;
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(30);
  private static final Duration TICKET_LIMIT = Duration.ofSeconds(10);
  // Longer than any time limit of the runner; only so that nothing waits for ever.
  private static final Duration LIMIT = Duration.ofSeconds(600);
  private static final long STREAM_WINDOW_BYTES = 256 * 1024;
  private static final int BYTES_BEFORE_KEY_UPDATE = 100 * 1024;

  private final String testCase;
  private final List<URI> urls;
  private final List<Path> keyLogs = new CopyOnWriteArrayList<>();

  private Client(String testCase, List<URI> urls) {
    this.testCase = testCase;
    this.urls = urls;
  }

  public static void main(String[] args) {
    String testCase = System.getenv("TESTCASE");
    if (!CASES.contains(testCase)) {
      System.out.println("unsupported test case: " + testCase);
      System.exit(127);
    }
    List<URI> urls = new ArrayList<>();
    for (String url : System.getenv().getOrDefault("REQUESTS", "").strip().split("\\s+")) {
      if (!url.isEmpty()) urls.add(URI.create(url));
    }
    if (urls.isEmpty()) {
      System.err.println("REQUESTS names no URL");
      System.exit(1);
    }
    Client client = new Client(testCase, urls);
    // However the process ends: the runner reads the keys of failures, too.
    Runtime.getRuntime().addShutdownHook(new Thread(client::joinKeyLogs));
    try {
      client.run();
    } catch (Exception error) {
      System.err.println("client: " + error);
      System.exit(1);
    }
    // The library's threads would keep the process alive.
    System.exit(0);
  }

  private void run() throws Exception {
    switch (testCase) {
      case "multiconnect" -> {
        for (URI url : urls) fetch(List.of(url), null);
      }
      case "resumption" -> fetch(rest(), fetch(urls.subList(0, 1), null));
      case "zerortt" -> fetchEarly(rest(), fetch(urls.subList(0, 1), null));
      case "http3" -> fetchHttp3();
      case "keyupdate" -> fetchAndUpdateKeys(urls.get(0));
      default -> fetch(urls, null);
    }
  }

  private List<URI> rest() {
    return urls.subList(1, urls.size());
  }

  private QuicClientConnection build(String protocol, QuicSessionTicket ticket) throws IOException {
    QuicClientConnection.Builder builder =
        QuicClientConnection.newBuilder()
            .uri(urls.get(0))
            .applicationProtocol(protocol)
            .noServerCertificateCheck()
            .connectTimeout(CONNECT_LIMIT)
            .initialRtt(100)
            .defaultStreamReceiveBufferSize(STREAM_WINDOW_BYTES)
            .version(QuicVersion.V1);
    if (testCase.equals("chacha20")) builder.cipherSuite(CipherSuite.TLS_CHACHA20_POLY1305_SHA256);
    if (testCase.equals("v2")) builder.initialVersion(QuicVersion.V1).preferredVersion(QuicVersion.V2);
    if (ticket != null) builder.sessionTicket(ticket);
    String keyLog = System.getenv("SSLKEYLOGFILE");
    if (keyLog != null && !keyLog.isEmpty()) {
      Path part = Path.of(keyLog + "." + keyLogs.size());
      keyLogs.add(part);
      builder.secrets(part);
    }
    return builder.build();
  }

  /** Each connection of the library empties its key log first, so each has one of its own; here they become one. */
  private void joinKeyLogs() {
    List<Path> parts = List.copyOf(keyLogs);
    if (parts.isEmpty()) return;
    try (OutputStream out = Files.newOutputStream(Path.of(System.getenv("SSLKEYLOGFILE")))) {
      for (Path part : parts) {
        if (!Files.exists(part)) continue;
        Files.copy(part, out);
        Files.delete(part);
      }
    } catch (IOException error) {
      System.err.println("client: key log: " + error);
    }
  }

  /** Fetches all at the same time over one connection; a ticket that the server gave is the result. */
  private QuicSessionTicket fetch(List<URI> some, QuicSessionTicket ticket) throws Exception {
    QuicClientConnection connection = build("hq-interop", ticket);
    connection.connect();
    List<Callable<Void>> downloads = new ArrayList<>();
    for (URI url : some) {
      downloads.add(() -> save(request(connection, url), url));
    }
    all(downloads);
    boolean needsTicket = ticket == null && (testCase.equals("resumption") || testCase.equals("zerortt"));
    QuicSessionTicket given = needsTicket ? waitForTicket(connection) : null;
    connection.closeAndWait(Duration.ofSeconds(1));
    return given;
  }

  private void fetchEarly(List<URI> some, QuicSessionTicket ticket) throws Exception {
    QuicClientConnection connection = build("hq-interop", ticket);
    List<StreamEarlyData> requests = new ArrayList<>();
    for (URI url : some) {
      requests.add(new StreamEarlyData(requestLine(url), true));
    }
    List<QuicStream> streams = connection.connect(requests);
    List<Callable<Void>> downloads = new ArrayList<>();
    for (int i = 0; i < some.size(); i++) {
      QuicStream early = streams.get(i);
      URI url = some.get(i);
      // A request that 0-RTT could not carry goes the usual way.
      downloads.add(() -> save(early != null ? early : request(connection, url), url));
    }
    all(downloads);
    connection.closeAndWait(Duration.ofSeconds(1));
  }

  private void fetchHttp3() throws Exception {
    QuicClientConnection connection = build("h3", null);
    connection.connect();
    HttpClient client = new Http3SingleConnectionClient(connection, CONNECT_LIMIT, STREAM_WINDOW_BYTES);
    List<Callable<Void>> downloads = new ArrayList<>();
    for (URI url : urls) {
      downloads.add(
          () -> {
            HttpRequest request = HttpRequest.newBuilder(url).build();
            HttpResponse<Path> response = client.send(request, HttpResponse.BodyHandlers.ofFile(target(url)));
            if (response.statusCode() != 200) throw new IOException("status " + response.statusCode() + " for " + url);
            return null;
          });
    }
    all(downloads);
    connection.closeAndWait(Duration.ofSeconds(1));
  }

  private void fetchAndUpdateKeys(URI url) throws Exception {
    QuicClientConnection connection = build("hq-interop", null);
    connection.connect();
    QuicStream stream = request(connection, url);
    try (InputStream in = stream.getInputStream();
        OutputStream out = Files.newOutputStream(target(url))) {
      // Some data first: then the handshake is confirmed, and an update allowed.
      out.write(in.readNBytes(BYTES_BEFORE_KEY_UPDATE));
      ((QuicClientConnectionImpl) connection).updateKeys();
      in.transferTo(out);
    }
    connection.closeAndWait(Duration.ofSeconds(1));
  }

  private static QuicSessionTicket waitForTicket(QuicClientConnection connection) throws Exception {
    long end = System.nanoTime() + TICKET_LIMIT.toNanos();
    while (System.nanoTime() < end) {
      List<QuicSessionTicket> tickets = connection.getNewSessionTickets();
      if (!tickets.isEmpty()) return tickets.get(0);
      Thread.sleep(10);
    }
    throw new IOException("the server gave no session ticket");
  }

  private static QuicStream request(QuicClientConnection connection, URI url) throws IOException {
    QuicStream stream = connection.createStream(true);
    try (OutputStream out = stream.getOutputStream()) {
      out.write(requestLine(url));
    }
    return stream;
  }

  private static byte[] requestLine(URI url) {
    return ("GET " + url.getPath() + "\r\n").getBytes(StandardCharsets.US_ASCII);
  }

  private static Void save(QuicStream stream, URI url) throws IOException {
    try (InputStream in = stream.getInputStream();
        OutputStream out = Files.newOutputStream(target(url))) {
      in.transferTo(out);
    }
    return null;
  }

  private static Path target(URI url) {
    return DOWNLOADS.resolve(Path.of(url.getPath()).getFileName());
  }

  private static void all(List<Callable<Void>> downloads) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(Math.min(MAX_THREADS, downloads.size()));
    for (Future<Void> done : threads.invokeAll(downloads, LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      done.get();
    }
    threads.shutdown();
  }
}
