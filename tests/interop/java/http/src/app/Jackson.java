package app;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.PropertyNamingStrategy;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.databind.util.StdDateFormat;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.math.BigDecimal;

/** Jackson, set up as one would for an API that writes decimals and times as text. */
final class Jackson {
    private Jackson() {}

    /** Bean properties as the contract names them: {@code created_at}. */
    static ObjectMapper contractNames() {
        return mapper(PropertyNamingStrategies.SNAKE_CASE);
    }

    /** Bean properties as Java names them: {@code createdAt}. */
    static ObjectMapper javaNames() {
        return mapper(PropertyNamingStrategies.LOWER_CAMEL_CASE);
    }

    private static ObjectMapper mapper(PropertyNamingStrategy names) {
        SimpleModule decimals = new SimpleModule();
        decimals.addSerializer(BigDecimal.class, ToStringSerializer.instance);
        return JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .addModule(decimals)
                .propertyNamingStrategy(names)
                .defaultDateFormat(new StdDateFormat().withColonInTimeZone(true))
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }
}
