package app;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A client of rmi:// as docs/rmi.md describes it. With an empty secret calls are not signed. */
final class RmiCall {
    private static final int HEAD_BYTES = 36;
    private static final int NONCE_BYTES = 16;
    private static final int SIGNATURE_BYTES = 32;
    private static final int TIMEOUT_MS = 10_000;
    private static final byte CALL = 1;
    private static final byte REFUSAL = 3;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String host;
    private final int port;
    private final String secret;
    private final String key;

    /** An exception of the service. */
    static final class Fault extends Exception {
        final String name;
        final Map<?, ?> fields;

        Fault(String name, Map<?, ?> fields) {
            super(name);
            this.name = name;
            this.fields = fields;
        }
    }

    /** An error on the way, or a refusal. */
    static final class Trouble extends Exception {
        final String code;

        Trouble(String code, String message) {
            super(message);
            this.code = code;
        }
    }

    RmiCall(String host, int port, String secret, String key) {
        this.host = host;
        this.port = port;
        this.secret = secret;
        this.key = key;
    }

    RmiCall withSecret(String other) {
        return new RmiCall(host, port, other, key);
    }

    /** What the method returned. */
    Object call(String service, String method, Object... arguments) throws Exception {
        return call(service, method, Map.of(), arguments);
    }

    /** The same with further members of the call. */
    Object call(String service, String method, Map<String, ?> more, Object... arguments) throws Exception {
        Map<String, Object> said = new HashMap<>(more);
        said.put("service", service);
        said.put("method", method);
        said.put("args", Arrays.asList(arguments));
        said.put("timeout", TIMEOUT_MS);
        said.put("consumer", "java");
        byte[] nonce = new byte[NONCE_BYTES];
        if (!secret.isEmpty()) {
            RANDOM.nextBytes(nonce);
        }
        byte[] payload = open(exchange(seal(RmiPickles.write(said), nonce)), nonce);
        Map<?, ?> reply = (Map<?, ?>) RmiPickles.read(payload);
        if (reply.containsKey("ok")) {
            return reply.get("ok");
        }
        if (reply.containsKey("fault")) {
            throw new Fault((String) reply.get("fault"), (Map<?, ?>) reply.get("fields"));
        }
        throw new Trouble((String) reply.get("error"), (String) reply.get("message"));
    }

    private byte[] seal(byte[] payload, byte[] nonce) throws GeneralSecurityException {
        byte[] name = (secret.isEmpty() ? "" : key).getBytes(StandardCharsets.UTF_8);
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES + name.length);
        head.put("PRMI".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put(CALL).put((byte) name.length).put((byte) 0);
        head.putInt(payload.length).putLong(secret.isEmpty() ? 0 : System.currentTimeMillis()).put(nonce).put(name);
        byte[] signature = secret.isEmpty() ? new byte[0] : sign(List.of(head.array(), payload));
        ByteBuffer frame = ByteBuffer.allocate(head.capacity() + signature.length + payload.length);
        return frame.put(head.array()).put(signature).put(payload).array();
    }

    private byte[] sign(List<byte[]> parts) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        parts.forEach(mac::update);
        return mac.doFinal();
    }

    private byte[] exchange(byte[] data) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), TIMEOUT_MS);
            socket.setSoTimeout(TIMEOUT_MS);
            socket.getOutputStream().write(data);
            socket.shutdownOutput();
            try (InputStream input = socket.getInputStream()) {
                return input.readAllBytes();
            }
        }
    }

    private byte[] open(byte[] frame, byte[] nonce) throws Exception {
        if (frame.length < HEAD_BYTES || !new String(frame, 0, 5, StandardCharsets.ISO_8859_1).equals("PRMI\1")) {
            throw new IOException("no frame came back");
        }
        if (frame[5] == REFUSAL) {
            throw new Trouble("refused", String.valueOf(frame[7]));
        }
        int keyEnd = HEAD_BYTES + frame[6];
        int start = frame[6] == 0 ? keyEnd : keyEnd + SIGNATURE_BYTES;
        byte[] payload = Arrays.copyOfRange(frame, start, frame.length);
        if (payload.length != ByteBuffer.wrap(frame).getInt(8)) {
            throw new IOException("the frame has another length than it says");
        }
        if (!secret.isEmpty()) {
            byte[] expected = sign(List.of(Arrays.copyOf(frame, keyEnd), payload));
            boolean same = MessageDigest.isEqual(expected, Arrays.copyOfRange(frame, keyEnd, start));
            if (!same || !Arrays.equals(nonce, Arrays.copyOfRange(frame, 20, HEAD_BYTES))) {
                throw new IOException("the reply is not signed by who has the secret");
            }
        }
        return payload;
    }
}
