import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import tech.kwik.core.QuicConnection;
import tech.kwik.core.QuicConnection.QuicVersion;
import tech.kwik.core.QuicStream;
import tech.kwik.core.log.NullLogger;
import tech.kwik.core.server.ApplicationProtocolConnection;
import tech.kwik.core.server.ApplicationProtocolConnectionFactory;
import tech.kwik.core.server.ServerConnectionConfig;
import tech.kwik.core.server.ServerConnector;
import tech.kwik.flupke.server.Http3ApplicationProtocolFactory;
import tech.kwik.flupke.server.HttpServerRequest;
import tech.kwik.flupke.server.HttpServerResponse;

/** The server: serves /www on UDP port 443 with HTTP/0.9 or HTTP/3, as TESTCASE says, until SIGTERM. */
public final class Server {
  private static final Path ROOT = Path.of("/www");
  private static final Path CERTIFICATES = Path.of("/certs/cert.pem");
  private static final Path PRIVATE_KEY = Path.of("/certs/priv.key");
  private static final Set<String> CASES =
      Set.of("handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "keyupdate", "multiconnect", "v2", "versionnegotiation");
  private static final String ALIAS = "server";
  private static final char[] NO_PASSWORD = {};
  private static final int MAX_REQUEST_BYTES = 4096;
  private static final int MAX_STREAMS = 100;

  // The streams of the library block, so each file in flight takes a thread.
  private static final ExecutorService THREADS = Executors.newCachedThreadPool();

  public static void main(String[] args) throws Exception {
    String testCase = System.getenv("TESTCASE");
    if (!CASES.contains(testCase)) {
      System.out.println("unsupported test case: " + testCase);
      System.exit(127);
    }
    ServerConnectionConfig configuration =
        ServerConnectionConfig.builder()
            .maxIdleTimeoutInSeconds(30)
            .maxConnectionBufferSize(10_000_000)
            .maxBidirectionalStreamBufferSize(1_000_000)
            .maxUnidirectionalStreamBufferSize(1_000_000)
            .maxOpenPeerInitiatedBidirectionalStreams(MAX_STREAMS)
            .maxOpenPeerInitiatedUnidirectionalStreams(10)
            .retryRequired(testCase.equals("retry"))
            .connectionIdLength(8)
            .build();
    // The server takes up version 2 whenever a client would rather have it; one test wants that.
    List<QuicVersion> versions = testCase.equals("v2") ? List.of(QuicVersion.V1, QuicVersion.V2) : List.of(QuicVersion.V1);
    ServerConnector connector =
        ServerConnector.builder()
            .withPort(443)
            .withKeyStore(keyStore(), ALIAS, NO_PASSWORD, "secp256r1")
            .withSupportedVersions(versions)
            .withConfiguration(configuration)
            .withLogger(new NullLogger())
            .build();
    if (testCase.equals("http3")) {
      connector.registerApplicationProtocol("h3", new Http3ApplicationProtocolFactory(Server::answer));
    } else {
      connector.registerApplicationProtocol("hq-interop", new Http09());
    }
    connector.start();
  }

  /** The runner's PEM files as the library wants them; its own reader of PEM knows RSA keys only. */
  private static KeyStore keyStore() throws IOException, GeneralSecurityException {
    Certificate[] chain;
    try (InputStream in = Files.newInputStream(CERTIFICATES)) {
      chain = CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new Certificate[0]);
    }
    String base64 = Files.readString(PRIVATE_KEY).replaceAll("-----[A-Z ]+-----", "");
    PKCS8EncodedKeySpec key = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(base64));
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, NO_PASSWORD);
    store.setKeyEntry(ALIAS, KeyFactory.getInstance("EC").generatePrivate(key), NO_PASSWORD, chain);
    return store;
  }

  private static final class Http09 implements ApplicationProtocolConnectionFactory {
    @Override
    public ApplicationProtocolConnection createConnection(String protocol, QuicConnection connection) {
      return new ApplicationProtocolConnection() {
        @Override
        public void acceptPeerInitiatedStream(QuicStream stream) {
          THREADS.execute(() -> answer(stream));
        }
      };
    }

    @Override
    public int maxConcurrentPeerInitiatedBidirectionalStreams() {
      return MAX_STREAMS;
    }
  }

  private static void answer(QuicStream stream) {
    try {
      String request = new String(stream.getInputStream().readNBytes(MAX_REQUEST_BYTES), StandardCharsets.US_ASCII);
      Optional<Path> file = request.startsWith("GET ") ? find(request.substring("GET ".length()).strip()) : Optional.empty();
      if (file.isEmpty()) {
        // Without a status, a reset is the only word for a file that is not there.
        stream.resetStream(0);
        return;
      }
      try (OutputStream out = stream.getOutputStream()) {
        Files.copy(file.get(), out);
      }
    } catch (IOException error) {
      System.err.println("server: " + error);
    }
  }

  private static void answer(HttpServerRequest request, HttpServerResponse response) throws IOException {
    Optional<Path> file = request.method().equals("GET") ? find(request.path()) : Optional.empty();
    response.setStatus(file.isPresent() ? 200 : 404);
    if (file.isPresent()) {
      try (OutputStream out = response.getOutputStream()) {
        Files.copy(file.get(), out);
      }
    }
  }

  private static Optional<Path> find(String path) {
    Path file = ROOT.resolve(path.replaceFirst("^/+", "")).normalize();
    return file.startsWith(ROOT) && Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
  }
}
