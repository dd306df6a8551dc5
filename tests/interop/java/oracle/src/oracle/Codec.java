package oracle;

import com.alibaba.com.caucho.hessian.io.Hessian2Input;
import com.alibaba.com.caucho.hessian.io.Hessian2Output;
import com.alibaba.com.caucho.hessian.io.SerializerFactory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** One hessian-lite stream, as Dubbo drives it: bare values, tables shared from first to last. */
final class Codec {
    private static final SerializerFactory FACTORY = new SerializerFactory(Codec.class.getClassLoader());

    private Codec() {}

    static byte[] encode(List<?> values) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Hessian2Output output = new Hessian2Output(bytes);
        output.setSerializerFactory(FACTORY);
        for (Object value : values) {
            output.writeObject(value);
        }
        output.flush();
        return bytes.toByteArray();
    }

    /**
     * Reads values up to the end of the bytes.
     *
     * @param types the declared type of each value; values beyond the list are read as Object
     */
    static List<Object> decode(byte[] bytes, List<Class<?>> types) throws IOException {
        Hessian2Input input = new Hessian2Input(new ByteArrayInputStream(bytes));
        input.setSerializerFactory(FACTORY);
        List<Object> values = new ArrayList<>();
        while (!input.isEnd()) {
            values.add(
                    values.size() < types.size() ? input.readObject(types.get(values.size())) : input.readObject());
        }
        return values;
    }
}
