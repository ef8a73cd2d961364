import java.util.Arrays;

/** Writes a PeerReading by hand, field by field, behind Confluent's frame. */
final class AvroOut {
    private byte[] out = new byte[4096];
    private int at;

    /** Gives the whole message. */
    byte[] write(Reading reading, int flagStep, int schema, byte[] padding) {
        at = 0;
        out[at++] = 0;
        for (int shift = 24; shift >= 0; shift -= 8) {
            out[at++] = (byte) (schema >> shift);
        }
        bytes(reading.station);
        bytes(reading.sensor);
        bytes(reading.source);
        bytes(reading.table);
        bytes(reading.op);
        bytes(reading.unit);
        number(reading.observedLocal);
        bytes(reading.key);
        number(reading.version);
        number(reading.extractedAt);
        nullableReal(reading.value);
        number(flagStep);
        bytes(padding);
        return Arrays.copyOf(out, at);
    }

    private void bytes(byte[] value) {
        number(value.length);
        System.arraycopy(value, 0, out, at, value.length);
        at += value.length;
    }

    private void number(long value) {
        long zigzag = (value << 1) ^ (value >> 63);
        while ((zigzag & ~0x7FL) != 0) {
            out[at++] = (byte) (zigzag | 0x80);
            zigzag >>>= 7;
        }
        out[at++] = (byte) zigzag;
    }

    private void nullableReal(double value) {
        if (Double.isNaN(value)) {
            number(0);
            return;
        }
        number(1);
        long bits = Double.doubleToLongBits(value);
        for (int i = 0; i < 8; i++) {
            out[at++] = (byte) (bits >> (8 * i));
        }
    }
}
