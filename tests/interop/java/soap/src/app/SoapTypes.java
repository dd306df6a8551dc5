package app;

import jakarta.jws.WebService;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import javax.xml.datatype.Duration;
import javax.xml.datatype.XMLGregorianCalendar;
import soap.types.ArrayOfString;
import soap.types.Everything;
import soap.types.Maker;
import soap.types.MapOfIntToString;
import soap.types.MapOfPointToString;
import soap.types.MapOfStatusToString;
import soap.types.MapOfStringToArrayOfMaker;
import soap.types.MapOfStringToLong;
import soap.types.Status;
import soap.types.Types;
import soap.types.TypesFailure;
import soap.types.TypesFailureFault;

/** Gives back what JAXB made of a value, as JAXB writes it. */
@WebService(
        endpointInterface = "soap.types.Types",
        targetNamespace = "http://demo/",
        serviceName = "TypesService",
        portName = "TypesPort")
public final class SoapTypes implements Types {
    @Override
    public boolean echoBool(boolean value) {
        return value;
    }

    @Override
    public Boolean echoBoxedBool(Boolean value) {
        return value;
    }

    @Override
    public byte echoI8(byte value) {
        return value;
    }

    @Override
    public short echoI16(short value) {
        return value;
    }

    @Override
    public int echoI32(int value) {
        return value;
    }

    @Override
    public long echoI64(long value) {
        return value;
    }

    @Override
    public Byte echoBoxedI8(Byte value) {
        return value;
    }

    @Override
    public Short echoBoxedI16(Short value) {
        return value;
    }

    @Override
    public Integer echoBoxedI32(Integer value) {
        return value;
    }

    @Override
    public Long echoBoxedI64(Long value) {
        return value;
    }

    @Override
    public float echoF32(float value) {
        return value;
    }

    @Override
    public double echoF64(double value) {
        return value;
    }

    @Override
    public Float echoBoxedF32(Float value) {
        return value;
    }

    @Override
    public Double echoBoxedF64(Double value) {
        return value;
    }

    @Override
    public BigInteger echoBigint(BigInteger value) {
        return value;
    }

    @Override
    public BigDecimal echoDecimal(BigDecimal value) {
        return value;
    }

    @Override
    public int echoChar(int value) {
        return value;
    }

    @Override
    public Integer echoBoxedChar(Integer value) {
        return value;
    }

    @Override
    public String echoString(String value) {
        return value;
    }

    @Override
    public byte[] echoBytes(byte[] value) {
        return value;
    }

    @Override
    public XMLGregorianCalendar echoDate(XMLGregorianCalendar value) {
        return value;
    }

    @Override
    public XMLGregorianCalendar echoTime(XMLGregorianCalendar value) {
        return value;
    }

    @Override
    public XMLGregorianCalendar echoDatetime(XMLGregorianCalendar value) {
        return value;
    }

    @Override
    public XMLGregorianCalendar echoJavaDate(XMLGregorianCalendar value) {
        return value;
    }

    @Override
    public XMLGregorianCalendar echoLocalDatetime(XMLGregorianCalendar value) {
        return value;
    }

    @Override
    public Duration echoDuration(Duration value) {
        return value;
    }

    @Override
    public String echoUuid(String value) {
        return value;
    }

    @Override
    public List<Integer> echoIntList(List<Integer> value) {
        return value;
    }

    @Override
    public List<Long> echoLongList(List<Long> value) {
        return value;
    }

    @Override
    public List<String> echoStringList(List<String> value) {
        return value;
    }

    @Override
    public List<ArrayOfString> echoNestedList(List<ArrayOfString> value) {
        return value;
    }

    @Override
    public List<String> echoStringSet(List<String> value) {
        return value;
    }

    @Override
    public List<Long> echoLongSet(List<Long> value) {
        return value;
    }

    @Override
    public MapOfStringToLong echoStringMap(MapOfStringToLong value) {
        return value;
    }

    @Override
    public MapOfIntToString echoIntMap(MapOfIntToString value) {
        return value;
    }

    @Override
    public MapOfStatusToString echoEnumMap(MapOfStatusToString value) {
        return value;
    }

    @Override
    public MapOfPointToString echoStructMap(MapOfPointToString value) {
        return value;
    }

    @Override
    public MapOfStringToArrayOfMaker echoNestedMap(MapOfStringToArrayOfMaker value) {
        return value;
    }

    @Override
    public List<Integer> echoIntArray(List<Integer> value) {
        return value;
    }

    @Override
    public List<Long> echoLongArray(List<Long> value) {
        return value;
    }

    @Override
    public List<Double> echoDoubleArray(List<Double> value) {
        return value;
    }

    @Override
    public List<String> echoStringArray(List<String> value) {
        return value;
    }

    @Override
    public List<Maker> echoMakerArray(List<Maker> value) {
        return value;
    }

    @Override
    public Status echoEnum(Status value) {
        return value;
    }

    @Override
    public Maker echoStruct(Maker value) {
        return value;
    }

    @Override
    public Everything echoEverything(Everything value) {
        return value;
    }

    @Override
    public Object echoAny(Object value) {
        return value;
    }

    @Override
    public String echoNullable(String value) {
        return value;
    }

    @Override
    public void echoNothing() {}

    /** There are no attachments here. */
    @Override
    public String echoAttachments(String key) {
        return null;
    }

    @Override
    public String failDeclared(String message) throws TypesFailureFault {
        Maker culprit = new Maker();
        culprit.setName("Acme");
        TypesFailure failure = new TypesFailure();
        failure.setCode(42);
        failure.setMessage(SoapPeer.TYPES.createTypesFailureMessage(message));
        failure.setCulprit(SoapPeer.TYPES.createTypesFailureCulprit(culprit));
        throw new TypesFailureFault(message, failure);
    }

    @Override
    public String failUndeclared(String message) {
        throw new IllegalStateException(message);
    }
}
