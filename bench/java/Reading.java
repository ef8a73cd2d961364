import java.nio.charset.StandardCharsets;

/** The few fields of a raw reading that the step check needs, read by hand. */
final class Reading {
    private final byte[] data;
    byte[] station;
    byte[] source;
    byte[] table;
    byte[] op;
    byte[] unit;
    byte[] key;
    byte[] sensor;
    String sensorId;
    long observedLocal;
    long version;
    long extractedAt;
    double value;
    private int at = 5; // behind the frame: a zero and the schema's id

    private Reading(byte[] data) {
        this.data = data;
    }

    /** Reads a framed RawReading or RawWind. */
    static Reading of(byte[] data, boolean wind) {
        Reading r = new Reading(data);
        r.station = r.bytes();
        r.sensor = r.bytes();
        r.sensorId = new String(r.sensor, StandardCharsets.UTF_8);
        r.skipBytes(); // zone
        r.source = r.bytes();
        r.number(); // source_rank
        r.table = r.bytes();
        r.number(); // mapping_version
        r.op = r.bytes();
        r.unit = r.bytes();
        if (wind) {
            r.skipBytes(); // direction_unit
            r.skipBytes(); // gust_unit
        }
        r.observedLocal = r.present() ? r.number() : 0;
        r.skipNullableBytes(); // observed_text
        r.skipNullableBytes(); // source_flag
        r.key = r.bytes();
        r.version = r.number();
        r.skipBytes(); // cursor
        r.extractedAt = r.number();
        r.value = r.present() ? r.real() : Double.NaN;
        return r;
    }

    private boolean present() {
        return number() == 1;
    }

    private long number() {
        long unsigned = 0;
        for (int shift = 0; ; shift += 7) {
            byte read = data[at++];
            unsigned |= (long) (read & 0x7F) << shift;
            if (read >= 0) {
                return (unsigned >>> 1) ^ -(unsigned & 1);
            }
        }
    }

    private double real() {
        long bits = 0;
        for (int i = 7; i >= 0; i--) {
            bits = (bits << 8) | (data[at + i] & 0xFF);
        }
        at += 8;
        return Double.longBitsToDouble(bits);
    }

    private byte[] bytes() {
        int length = (int) number();
        byte[] found = new byte[length];
        System.arraycopy(data, at, found, 0, length);
        at += length;
        return found;
    }

    private void skipBytes() {
        int length = (int) number();
        at += length;
    }

    private void skipNullableBytes() {
        if (present()) {
            skipBytes();
        }
    }
}
