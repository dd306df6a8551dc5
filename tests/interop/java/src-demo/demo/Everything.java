package demo;

import java.io.Serializable;
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

/** One field of every type. */
public class Everything implements Serializable {
    private static final long serialVersionUID = 1L;

    private boolean bool;
    private Boolean boxedBool;
    private byte i8;
    private short i16;
    private int i32;
    private long i64;
    private Byte boxedI8;
    private Short boxedI16;
    private Integer boxedI32;
    private Long boxedI64;
    private Float f32; // boxed: hessian-lite 4.0.4 reads a float field as a double and spoils its neighbour (apache/dubbo#15670)
    private double f64;
    private Float boxedF32;
    private Double boxedF64;
    private BigInteger bigint;
    private BigDecimal decimal;
    private char character;
    private Character boxedChar;
    private String string;
    private byte[] bytes;
    private LocalDate date;
    private LocalTime time;
    private Instant datetime;
    private Date javaDate;
    private LocalDateTime localDatetime;
    private Duration duration;
    private UUID uuid;
    private List<Integer> intList;
    private List<Long> longList;
    private List<String> stringList;
    private List<List<String>> nestedList;
    private Set<String> stringSet;
    private Set<Long> longSet;
    private Map<String, Long> stringMap;
    private Map<Integer, String> intMap;
    private Map<Status, String> enumMap;
    private Map<Point, String> structMap;
    private Map<String, List<Maker>> nestedMap;
    private int[] intArray;
    private long[] longArray;
    private double[] doubleArray;
    private String[] stringArray;
    private Maker[] makerArray;
    private Status enumeration;
    private Maker struct;
    private Object any;

    public boolean isBool() {
        return bool;
    }

    public void setBool(boolean bool) {
        this.bool = bool;
    }

    public Boolean getBoxedBool() {
        return boxedBool;
    }

    public void setBoxedBool(Boolean boxedBool) {
        this.boxedBool = boxedBool;
    }

    public byte getI8() {
        return i8;
    }

    public void setI8(byte i8) {
        this.i8 = i8;
    }

    public short getI16() {
        return i16;
    }

    public void setI16(short i16) {
        this.i16 = i16;
    }

    public int getI32() {
        return i32;
    }

    public void setI32(int i32) {
        this.i32 = i32;
    }

    public long getI64() {
        return i64;
    }

    public void setI64(long i64) {
        this.i64 = i64;
    }

    public Byte getBoxedI8() {
        return boxedI8;
    }

    public void setBoxedI8(Byte boxedI8) {
        this.boxedI8 = boxedI8;
    }

    public Short getBoxedI16() {
        return boxedI16;
    }

    public void setBoxedI16(Short boxedI16) {
        this.boxedI16 = boxedI16;
    }

    public Integer getBoxedI32() {
        return boxedI32;
    }

    public void setBoxedI32(Integer boxedI32) {
        this.boxedI32 = boxedI32;
    }

    public Long getBoxedI64() {
        return boxedI64;
    }

    public void setBoxedI64(Long boxedI64) {
        this.boxedI64 = boxedI64;
    }

    public Float getF32() {
        return f32;
    }

    public void setF32(Float f32) {
        this.f32 = f32;
    }

    public double getF64() {
        return f64;
    }

    public void setF64(double f64) {
        this.f64 = f64;
    }

    public Float getBoxedF32() {
        return boxedF32;
    }

    public void setBoxedF32(Float boxedF32) {
        this.boxedF32 = boxedF32;
    }

    public Double getBoxedF64() {
        return boxedF64;
    }

    public void setBoxedF64(Double boxedF64) {
        this.boxedF64 = boxedF64;
    }

    public BigInteger getBigint() {
        return bigint;
    }

    public void setBigint(BigInteger bigint) {
        this.bigint = bigint;
    }

    public BigDecimal getDecimal() {
        return decimal;
    }

    public void setDecimal(BigDecimal decimal) {
        this.decimal = decimal;
    }

    public char getCharacter() {
        return character;
    }

    public void setCharacter(char character) {
        this.character = character;
    }

    public Character getBoxedChar() {
        return boxedChar;
    }

    public void setBoxedChar(Character boxedChar) {
        this.boxedChar = boxedChar;
    }

    public String getString() {
        return string;
    }

    public void setString(String string) {
        this.string = string;
    }

    public byte[] getBytes() {
        return bytes;
    }

    public void setBytes(byte[] bytes) {
        this.bytes = bytes;
    }

    public LocalDate getDate() {
        return date;
    }

    public void setDate(LocalDate date) {
        this.date = date;
    }

    public LocalTime getTime() {
        return time;
    }

    public void setTime(LocalTime time) {
        this.time = time;
    }

    public Instant getDatetime() {
        return datetime;
    }

    public void setDatetime(Instant datetime) {
        this.datetime = datetime;
    }

    public Date getJavaDate() {
        return javaDate;
    }

    public void setJavaDate(Date javaDate) {
        this.javaDate = javaDate;
    }

    public LocalDateTime getLocalDatetime() {
        return localDatetime;
    }

    public void setLocalDatetime(LocalDateTime localDatetime) {
        this.localDatetime = localDatetime;
    }

    public Duration getDuration() {
        return duration;
    }

    public void setDuration(Duration duration) {
        this.duration = duration;
    }

    public UUID getUuid() {
        return uuid;
    }

    public void setUuid(UUID uuid) {
        this.uuid = uuid;
    }

    public List<Integer> getIntList() {
        return intList;
    }

    public void setIntList(List<Integer> intList) {
        this.intList = intList;
    }

    public List<Long> getLongList() {
        return longList;
    }

    public void setLongList(List<Long> longList) {
        this.longList = longList;
    }

    public List<String> getStringList() {
        return stringList;
    }

    public void setStringList(List<String> stringList) {
        this.stringList = stringList;
    }

    public List<List<String>> getNestedList() {
        return nestedList;
    }

    public void setNestedList(List<List<String>> nestedList) {
        this.nestedList = nestedList;
    }

    public Set<String> getStringSet() {
        return stringSet;
    }

    public void setStringSet(Set<String> stringSet) {
        this.stringSet = stringSet;
    }

    public Set<Long> getLongSet() {
        return longSet;
    }

    public void setLongSet(Set<Long> longSet) {
        this.longSet = longSet;
    }

    public Map<String, Long> getStringMap() {
        return stringMap;
    }

    public void setStringMap(Map<String, Long> stringMap) {
        this.stringMap = stringMap;
    }

    public Map<Integer, String> getIntMap() {
        return intMap;
    }

    public void setIntMap(Map<Integer, String> intMap) {
        this.intMap = intMap;
    }

    public Map<Status, String> getEnumMap() {
        return enumMap;
    }

    public void setEnumMap(Map<Status, String> enumMap) {
        this.enumMap = enumMap;
    }

    public Map<Point, String> getStructMap() {
        return structMap;
    }

    public void setStructMap(Map<Point, String> structMap) {
        this.structMap = structMap;
    }

    public Map<String, List<Maker>> getNestedMap() {
        return nestedMap;
    }

    public void setNestedMap(Map<String, List<Maker>> nestedMap) {
        this.nestedMap = nestedMap;
    }

    public int[] getIntArray() {
        return intArray;
    }

    public void setIntArray(int[] intArray) {
        this.intArray = intArray;
    }

    public long[] getLongArray() {
        return longArray;
    }

    public void setLongArray(long[] longArray) {
        this.longArray = longArray;
    }

    public double[] getDoubleArray() {
        return doubleArray;
    }

    public void setDoubleArray(double[] doubleArray) {
        this.doubleArray = doubleArray;
    }

    public String[] getStringArray() {
        return stringArray;
    }

    public void setStringArray(String[] stringArray) {
        this.stringArray = stringArray;
    }

    public Maker[] getMakerArray() {
        return makerArray;
    }

    public void setMakerArray(Maker[] makerArray) {
        this.makerArray = makerArray;
    }

    public Status getEnumeration() {
        return enumeration;
    }

    public void setEnumeration(Status enumeration) {
        this.enumeration = enumeration;
    }

    public Maker getStruct() {
        return struct;
    }

    public void setStruct(Maker struct) {
        this.struct = struct;
    }

    public Object getAny() {
        return any;
    }

    public void setAny(Object any) {
        this.any = any;
    }
}
