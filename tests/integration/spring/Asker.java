// SPDX-License-Identifier: Apache-2.0
// A BFF as Spring writes one: asks through ReplyingKafkaTemplate and prints a line of JSON for each answer. test_shapes.py judges them.
//
// usage: Asker BOOTSTRAP REQUEST_TOPIC REPLY_TOPIC PARTITION DOMAIN

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.requestreply.RequestReplyFuture;
import org.springframework.kafka.support.DefaultKafkaHeaderMapper;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.kafka.support.converter.MessagingMessageConverter;
import org.springframework.messaging.Message;
import org.springframework.messaging.MessageHeaders;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.util.MimeTypeUtils;

public final class Asker {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String bootstrap, requests, replies, domain;
    private int people;

    private Asker(String[] arguments) {
        bootstrap = arguments[0];
        requests = arguments[1];
        replies = arguments[2];
        domain = arguments[4];
    }

    /** A template whose reply container owns one partition (its number is asked for), or is given all by its group. */
    private ReplyingKafkaTemplate<String, String, String> template(Integer partition) throws Exception {
        ContainerProperties properties = partition == null ? new ContainerProperties(replies)
                : new ContainerProperties(new TopicPartitionOffset(replies, partition, TopicPartitionOffset.SeekPosition.END));
        properties.setGroupId("asker-" + UUID.randomUUID());
        Map<String, Object> consumer = Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap, ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed", ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        Map<String, Object> producer = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap, ProducerConfig.ACKS_CONFIG, "all");
        var container = new KafkaMessageListenerContainer<String, String>(
                new DefaultKafkaConsumerFactory<>(consumer, new StringDeserializer(), new StringDeserializer()), properties);
        var template = new ReplyingKafkaTemplate<>(
                new DefaultKafkaProducerFactory<>(producer, new StringSerializer(), new StringSerializer()), container);
        template.setSharedReplyTopic(true);
        template.setDefaultReplyTimeout(PATIENCE);
        template.afterPropertiesSet();
        template.start();
        if (!template.waitForAssignment(PATIENCE))
            throw new IllegalStateException("no partition of " + replies);
        return template;
    }

    private String person() throws Exception {
        people++;
        return JSON.writeValueAsString(Map.of("email", "spring" + people + "@" + domain, "password", "violet tractor sings staple"));
    }

    private static String text(Header header) {
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static void print(String scene, Object... pairs) throws Exception {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("scene", scene);
        for (int i = 0; i < pairs.length; i += 2)
            line.put((String) pairs[i], pairs[i + 1]);
        System.out.println(JSON.writeValueAsString(line));
    }

    private static void print(String scene, ProducerRecord<String, String> asked, ConsumerRecord<String, String> answer) throws Exception {
        Header sent = asked.headers().lastHeader(KafkaHeaders.CORRELATION_ID);
        Header back = answer.headers().lastHeader(KafkaHeaders.CORRELATION_ID);
        print(scene, "status", text(answer.headers().lastHeader("http_status")), "partition", answer.partition(), "key", answer.key(),
                "content_type", text(answer.headers().lastHeader("content-type")), "correlation",
                HexFormat.of().formatHex(sent.value()), "same", java.util.Arrays.equals(sent.value(), back.value()), "body",
                JSON.readTree(answer.value()));
    }

    private ProducerRecord<String, String> record(String key, String body, String requestId) {
        var record = new ProducerRecord<>(requests, key, body);
        if (requestId != null)
            record.headers().add("idempotency-key", requestId.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private void records(int partition) throws Exception {
        var template = template(partition);
        try {
            var asked = record("ada", person(), null);
            print("record", asked, template.sendAndReceive(asked).get(20, TimeUnit.SECONDS));

            String id = UUID.randomUUID().toString(), body = person();
            for (int attempt = 0; attempt < 2; attempt++) {
                var again = record("ada", body, id);
                print("repeat", again, template.sendAndReceive(again).get(20, TimeUnit.SECONDS));
            }
            var refused = record("ada", "{\"email\":\"bad\"}", null);
            print("refused", refused, template.sendAndReceive(refused).get(20, TimeUnit.SECONDS));

            List<RequestReplyFuture<String, String, String>> many = new ArrayList<>();
            List<ProducerRecord<String, String>> sent = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                sent.add(record("k" + i, person(), null));
                many.add(template.sendAndReceive(sent.get(i)));
            }
            for (int i = 0; i < many.size(); i++)
                print("many", sent.get(i), many.get(i).get(20, TimeUnit.SECONDS));
        } finally {
            template.destroy();
        }
    }

    private void texts() throws Exception {
        var template = template(null);
        template.setBinaryCorrelation(false);
        try {
            var asked = record("ada", person(), null);
            print("text", asked, template.sendAndReceive(asked).get(20, TimeUnit.SECONDS));
        } finally {
            template.destroy();
        }
    }

    private void message(String scene, boolean encoded, Map<String, Object> more) throws Exception {
        var template = template(null);
        var mapper = new DefaultKafkaHeaderMapper();
        mapper.setEncodeStrings(encoded);
        var converter = new MessagingMessageConverter();
        converter.setHeaderMapper(mapper);
        template.setMessageConverter(converter);
        try {
            String id = UUID.randomUUID().toString();
            Message<String> asked = MessageBuilder.withPayload(person()).setHeader(KafkaHeaders.TOPIC, requests)
                    .setHeader(KafkaHeaders.KEY, "ada").setHeader(MessageHeaders.CONTENT_TYPE, MimeTypeUtils.APPLICATION_JSON)
                    .setHeader("idempotency-key", id).copyHeaders(more).build();
            Message<?> answer = template.sendAndReceive(asked).get(20, TimeUnit.SECONDS);
            Object status = answer.getHeaders().get("http_status");
            print(scene, "request_id", id, "status", status instanceof String ? status : null, "status_class",
                    status == null ? null : status.getClass().getName(), "body", JSON.readTree((String) answer.getPayload()));
        } finally {
            template.destroy();
        }
    }

    public static void main(String[] arguments) throws Exception {
        var asker = new Asker(arguments);
        asker.records(Integer.parseInt(arguments[3]));
        asker.texts();
        asker.message("message", false, Map.of());
        asker.message("encoded", true, Map.of());
        asker.message("path", true, Map.of(":method", "POST", ":path", "/v1/nothing"));
        System.exit(0);
    }
}
