package demo;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Echoes every type. */
public interface Types {
    boolean echoBool(boolean value);

    Boolean echoBoxedBool(Boolean value);

    byte echoI8(byte value);

    short echoI16(short value);

    int echoI32(int value);

    long echoI64(long value);

    Integer echoBoxedI32(Integer value);

    Long echoBoxedI64(Long value);

    Byte echoBoxedI8(Byte value);

    Short echoBoxedI16(Short value);

    float echoF32(float value);

    double echoF64(double value);

    Float echoBoxedF32(Float value);

    Double echoBoxedF64(Double value);

    BigInteger echoBigint(BigInteger value);

    BigDecimal echoDecimal(BigDecimal value);

    char echoChar(char value);

    Character echoBoxedChar(Character value);

    String echoString(String value);

    byte[] echoBytes(byte[] value);

    LocalDate echoDate(LocalDate value);

    LocalTime echoTime(LocalTime value);

    Instant echoDatetime(Instant value);

    Date echoJavaDate(Date value);

    LocalDateTime echoLocalDatetime(LocalDateTime value);

    Duration echoDuration(Duration value);

    UUID echoUuid(UUID value);

    List<Integer> echoIntList(List<Integer> value);

    List<Long> echoLongList(List<Long> value);

    List<String> echoStringList(List<String> value);

    List<List<String>> echoNestedList(List<List<String>> value);

    Set<String> echoStringSet(Set<String> value);

    Set<Long> echoLongSet(Set<Long> value);

    Map<String, Long> echoStringMap(Map<String, Long> value);

    Map<Integer, String> echoIntMap(Map<Integer, String> value);

    Map<Status, String> echoEnumMap(Map<Status, String> value);

    Map<Point, String> echoStructMap(Map<Point, String> value);

    Map<String, List<Maker>> echoNestedMap(Map<String, List<Maker>> value);

    int[] echoIntArray(int[] value);

    long[] echoLongArray(long[] value);

    double[] echoDoubleArray(double[] value);

    String[] echoStringArray(String[] value);

    Maker[] echoMakerArray(Maker[] value);

    Status echoEnum(Status value);

    Maker echoStruct(Maker value);

    Everything echoEverything(Everything value);

    Object echoAny(Object value);

    void echoNothing();

    String echoNullable(String value);

    String echoAttachments(String key);

    String failDeclared(String message) throws TypesFailure;

    String failUndeclared(String message);
}
