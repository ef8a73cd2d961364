import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams doing one step check with state: one thread, exactly_once_v2, changelog on.
 *
 * <p>Arguments: brokers, application id, raw topics, output topics (both separated by commas and in
 * the same order), schema id of the output, padding in bytes, state directory, and pairs
 * name=value that go into the configuration. {@code store=memory} takes the store in memory.
 */
public final class StepCheck {
    static final double MOST_STEP = 10.0;
    static final int GOOD = 1;
    static final int FAIL = 4;

    private StepCheck() {}

    public static void main(String[] args) throws InterruptedException {
        String[] raw = args[2].split(",");
        String[] out = args[3].split(",");
        int schema = Integer.parseInt(args[4]);
        byte[] padding = " ".repeat(Integer.parseInt(args[5])).getBytes();
        Properties settings = settings(args);
        Topology topology = topology(raw, out, schema, padding, settings);
        KafkaStreams streams = new KafkaStreams(topology, settings);
        CountDownLatch end = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(5));
            end.countDown();
        }));
        streams.start();
        end.await();
    }

    private static Properties settings(String[] args) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, args[6]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), 4 << 20);
        for (int i = 7; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        return settings;
    }

    private static Topology topology(
            String[] raw, String[] out, int schema, byte[] padding, Properties settings) {
        var strings = Serdes.String();
        var bytes = Serdes.ByteArray();
        Topology topology = new Topology();
        topology.addSource("raw", bytes.deserializer(), bytes.deserializer(), raw);
        topology.addProcessor("step", () -> new Step(raw, schema, padding), "raw");
        KeyValueBytesStoreSupplier store = "memory".equals(settings.get("store"))
                ? Stores.inMemoryKeyValueStore("last")
                : Stores.persistentKeyValueStore("last");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(store, strings, bytes)
                        .withCachingEnabled()
                        .withLoggingEnabled(Map.of()),
                "step");
        for (int i = 0; i < raw.length; i++) {
            topology.addSink(raw[i], out[i], bytes.serializer(), bytes.serializer(), "step");
        }
        return topology;
    }

    /** Compares each reading with the last one of its sensor. */
    static final class Step implements Processor<byte[], byte[], byte[], byte[]> {
        private final Map<String, Boolean> isWind = new HashMap<>();
        private final int schema;
        private final byte[] padding;
        private final AvroOut encoded = new AvroOut();
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<String, byte[]> last;

        Step(String[] raw, int schema, byte[] padding) {
            for (String topic : raw) {
                isWind.put(topic, topic.contains(".wind."));
            }
            this.schema = schema;
            this.padding = padding;
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            this.last = context.getStateStore("last");
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            String topic = context.recordMetadata().orElseThrow().topic();
            Reading reading = Reading.of(record.value(), isWind.get(topic));
            byte[] before = last.get(reading.sensorId);
            int flag = before != null && steps(before, reading) ? FAIL : GOOD;
            byte[] now = new byte[16];
            ByteBuffer.wrap(now).putLong(reading.observedLocal).putDouble(reading.value);
            last.put(reading.sensorId, now);
            context.forward(record.withValue(encoded.write(reading, flag, schema, padding)), topic);
        }

        private static boolean steps(byte[] before, Reading reading) {
            ByteBuffer last = ByteBuffer.wrap(before);
            return last.getLong() < reading.observedLocal
                    && Math.abs(reading.value - last.getDouble()) > MOST_STEP;
        }
    }
}
